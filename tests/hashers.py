from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The portal's password hash at a hundredth of its cost: tests sign in often."""

    time_cost = 1
    memory_cost = 1024
    parallelism = 1
