# One token authentication of Django REST knox, in process, on SQLite: prints the median in seconds.
import statistics
import tempfile
import time

import django
from django.conf import settings

with tempfile.TemporaryDirectory() as directory:
    settings.configure(
        SECRET_KEY="bench",
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": directory + "/db"}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "knox"],
    )
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from knox.auth import TokenAuthentication
    from knox.models import get_token_model

    user = get_user_model().objects.create_user("alice")
    made = get_token_model().objects.create(user)
    token = made[1] if isinstance(made, tuple) else made
    authentication = TokenAuthentication()
    times = []
    for _ in range(2000):
        start = time.perf_counter()
        authentication.authenticate_credentials(token.encode())
        times.append(time.perf_counter() - start)
    print(statistics.median(times))
