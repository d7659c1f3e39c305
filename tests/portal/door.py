"""What tests do at the door: sign in with a password."""

from tests import make

NEW_PASSWORD = "drei gelbe Fahrräder im Regen"
LOGIN = "/accounts/login/"


def login(client, email, password=make.PASSWORD, **data):
    return client.post(LOGIN, {"login": email, "password": password, **data})
