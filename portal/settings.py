"""Settings of all four processes; PORTAL_PROCESS (web, operator, worker, beat, migrate) says which one this is."""

import os
import sys
from pathlib import Path

import dj_database_url
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

import portal  # noqa: F401 -- grafts the numbers folder before any app is imported
from portal import servers

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / ".data")).resolve()

PROCESS = os.environ.get("PORTAL_PROCESS", "worker")
DEMO = os.environ.get("PORTAL_DEMO") == "1"
DEBUG = False
SECURE = os.environ.get("PORTAL_SECURE", "0" if DEMO else "1") == "1"  # the demo speaks plain HTTP on localhost
SECRET_KEY = os.environ.get("PORTAL_SECRET_KEY") or ("demo-and-tests-only-" * 4 if not SECURE else "")
ALLOWED_HOSTS = os.environ.get("PORTAL_HOSTS", "localhost 127.0.0.1 [::1]").split()
CSRF_TRUSTED_ORIGINS = os.environ.get("PORTAL_ORIGINS", "").split()

# What the customers read about their provider.
OPERATOR_NAME = os.environ.get("PORTAL_OPERATOR_NAME", "Nordlicht Telefonie")
OPERATOR_HOTLINE = os.environ.get("PORTAL_OPERATOR_HOTLINE", "+493023125900")
OPERATOR_ADDRESS = os.environ.get("PORTAL_OPERATOR_ADDRESS", "Musterallee 1, 10115 Berlin")  # on letters
OPERATOR_EMAIL = os.environ.get("PORTAL_OPERATOR_EMAIL", "service@operator.example")
PORTAL_URL = os.environ.get("PORTAL_URL", f"http://localhost:{os.environ.get('PORT', '8000')}")

# Ordering: how long a choice is kept for whoever made it, how long a returned number rests (rule O2), and how many
# numbers of an area a tenant may have before more of them need a proof (rule O3).
POOL_RESERVE_MINUTES = 15
POOL_REST_DAYS = int(os.environ.get("PORTAL_POOL_REST_DAYS", "90"))
ORDER_LIMIT = int(os.environ.get("PORTAL_ORDER_LIMIT", "100"))
DOCUMENTS_DIR = DATA_DIR / "documents"  # uploads; web and operator share it, no web server serves it

# Who prints and posts PIN letters: people, from the print queue ("queue"), or a service ("letterxpress").
POSTAL_SERVICE = os.environ.get("PORTAL_POSTAL_SERVICE", "queue")
POSTAL_URL = os.environ.get("PORTAL_POSTAL_URL", "")
POSTAL_USER = os.environ.get("PORTAL_POSTAL_USER", "")
POSTAL_KEY = os.environ.get("PORTAL_POSTAL_KEY", "")
POSTAL_MODE = os.environ.get("PORTAL_POSTAL_MODE", "test")  # or "live"
POSTAL_SECRET = os.environ.get("PORTAL_POSTAL_SECRET", "")  # signs the service's messages; without it none is taken

# Who dials and sends faxes: a program that takes them out of a folder ("spool"), or a HylaFAX server ("hylafax").
FAX_GATEWAY = os.environ.get("PORTAL_FAX_GATEWAY", "spool")
FAX_SPOOL_DIR = Path(os.environ.get("PORTAL_FAX_SPOOL", DATA_DIR / "fax-spool"))
FAX_SERVER = os.environ.get("PORTAL_FAX_SERVER", "localhost:4559")
FAX_USER = os.environ.get("PORTAL_FAX_USER", "portal")
FAX_PASSWORD = os.environ.get("PORTAL_FAX_PASSWORD", "")
FAX_KEEP_DAYS = int(os.environ.get("PORTAL_FAX_KEEP_DAYS", "7"))  # pages and title, after the end

# How port orders get to old providers: by people ("manual"), or by an adapter, the dotted path of a class.
PORTING_TRANSPORT = os.environ.get("PORTAL_PORTING_TRANSPORT", "manual")

INSTALLED_APPS = [
    "portal",
    "staff",
    "billing",
    "numbers",
    "fax",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
if PROCESS in ("operator", "migrate"):
    INSTALLED_APPS.append("django.contrib.admin")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.middleware.SessionAgeMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.OperatorMiddleware" if PROCESS == "operator" else "portal.middleware.TenantMiddleware",
    "portal.middleware.CalmRefusalMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "portal.operator_urls" if PROCESS == "operator" else "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "portal.templatetags.ui"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.shell.shell",
            ],
        },
    },
]

# Two walls need the right role: the web process may never connect as one that can look past row-level security.
DATABASE_ROLE = {"web": "portal_app", "migrate": "portal_owner"}.get(PROCESS, "portal_ops")
DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or servers.database_url(DATA_DIR, DATABASE_ROLE),
        conn_max_age=None,
        conn_health_checks=True,
    )
}
REDIS_URL = os.environ.get("REDIS_URL") or servers.redis_url(DATA_DIR)
# Sign-in limits must survive an outage of Redis, so the cache is in PostgreSQL.
# Room for many: a full cache throws entries away, and with them the limits of whoever is guessing.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sign-in.
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["portal.door.Backend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index" if PROCESS == "operator" else "portal:home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "portal.signin.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "login": "portal.signin_forms.SignInForm",
    "reauthenticate": "portal.signin_forms.ConfirmForm",
    "change_password": "portal.signin_forms.ChangePasswordForm",
    "set_password": "portal.signin_forms.SetPasswordForm",
    "reset_password": "portal.signin_forms.AskForResetForm",
    "reset_password_from_key": "portal.signin_forms.ResetPasswordForm",
    "add_email": "portal.signin_forms.ChangeEmailForm",
}
ACCOUNT_EMAIL_VERIFICATION = "none"  # people come in by invitation, which proves the address
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 1
PASSWORD_RESET_TIMEOUT = 2 * 3600
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("PORTAL_BEHIND_PROXY") == "1")  # limits count the customer's address
USERSESSIONS_ADAPTER = "portal.signin.SessionsAdapter"
MFA_ADAPTER = "portal.signin.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "portal.signin_forms.CodeForm",
    "reauthenticate": "portal.signin_forms.ConfirmCodeForm",
    "activate_totp": "portal.signin_forms.ActivateAppForm",
    "login_webauthn": "portal.signin_forms.SignInByPasskeyForm",
    "authenticate_webauthn": "portal.signin_forms.PasskeyForm",
    "reauthenticate_webauthn": "portal.signin_forms.ConfirmByPasskeyForm",
    "add_webauthn": "portal.signin_forms.AddPasskeyForm",
    "edit_webauthn": "portal.signin_forms.RenamePasskeyForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True  # invitations prove addresses; a pending change must not block a second factor
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be 30 s off; a used code is refused all the same
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = OPERATOR_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
USERSESSIONS_TRACK_ACTIVITY = False

# Sessions and cookies: names differ between web and operator, for cookies do not know ports.
_PREFIX = ("__Host-" if SECURE else "") + ("operator_" if PROCESS == "operator" else "portal_")
SESSION_ENGINE = "portal.session_store"
SESSION_COOKIE_NAME = f"{_PREFIX}session"
CSRF_COOKIE_NAME = f"{_PREFIX}csrf"
LANGUAGE_COOKIE_NAME = f"{_PREFIX}language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SESSION_COOKIE_AGE = 12 * 3600  # absolute; the idle limit is SessionAgeMiddleware's
SESSION_IDLE_SECONDS = 900 if PROCESS == "operator" else 1800
CSRF_FAILURE_VIEW = "portal.views.errors.csrf_failure"

SECURE_SSL_REDIRECT = SECURE and os.environ.get("PORTAL_SSL_REDIRECT", "1") == "1"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("PORTAL_BEHIND_PROXY") == "1" else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # data: for the ticks and chevrons that the stylesheet draws
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# Language, time, files.
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["portal.formats"]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "build" / "collected"
STATICFILES_DIRS = [BASE_DIR / "static", *(d for d in [BASE_DIR / "build" / "static"] if d.is_dir())]
# Hashed names and compressed files once they were collected (`make`, the image); plain ones in a bare checkout.
COLLECTED = (STATIC_ROOT / "staticfiles.json").exists() or sys.argv[1:2] == ["collectstatic"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_MAX_AGE = 600

# Mail.
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("PORTAL_FROM_EMAIL", OPERATOR_EMAIL)
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": os.environ.get("PORTAL_SMTP_HOST", "localhost"),
            "port": int(os.environ.get("PORTAL_SMTP_PORT", "25")),
            "username": os.environ.get("PORTAL_SMTP_USER", ""),
            "password": os.environ.get("PORTAL_SMTP_PASSWORD", ""),
            "use_tls": os.environ.get("PORTAL_SMTP_TLS") == "1",
            "timeout": 20,
        },
    }
}
if DEMO:  # mail goes to files, which /demo/mail/ shows
    MAILERS = {"default": {"BACKEND": "portal.demo.mail.FolderBackend"}}

# Operators need a second factor; only the demo, whose console is for looking, goes without and says so in a banner.
OPERATOR_SECOND_FACTOR = not DEMO

SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING_CONFIG = None  # portal.logs configures logging and structlog together
