"""All settings, from the environment; a wrong or missing one stops the start with a sentence that names it.

README.md, "Configuration", lists them. ``VORONKA_ENV`` chooses the mode:

``development``  (the default) debug on, embedded servers where no URL is given;
``demo``         what `make demo` runs: debug off, mail into files, known logins;
``test``         what pytest runs: an embedded server of its own, quick and forgetful;
``production``   nothing is guessed: keys, hosts and servers must be given.
"""

import os
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from phonenumbers import SUPPORTED_REGIONS

from config import embedded, mail_providers

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = embedded.var_folder()
env = environ.Env()
env.smart_cast = False


def _whole_number(name: str, default: int) -> int:
    try:
        return int(env.str(name, str(default)))
    except ValueError as error:
        message = f"{name} is {env.str(name)!r}; it must be a whole number."
        raise ImproperlyConfigured(message) from error


# --- Mode -----------------------------------------------------------------------------------------------------------

MODES = ("development", "demo", "test", "production")
VORONKA_ENV = env.str("VORONKA_ENV", "test" if "PYTEST_VERSION" in os.environ else "development")
if VORONKA_ENV not in MODES:
    message = f"VORONKA_ENV is {VORONKA_ENV!r}; it must be one of {', '.join(MODES)}."
    raise ImproperlyConfigured(message)
IS_PRODUCTION = VORONKA_ENV == "production"
IS_DEMO = VORONKA_ENV == "demo"
IS_TEST = VORONKA_ENV == "test"

DEBUG = env.bool("DEBUG", VORONKA_ENV == "development")
_DEFAULT_KEY = "insecure: for development, demo and tests only; production refuses to start with it"
SECRET_KEY = env.str("SECRET_KEY", _DEFAULT_KEY)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # old keys, while sessions made with them last
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people reach the site; links in e-mails begin with it.
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", f"http://127.0.0.1:{env.str('PORT', '8000')}").rstrip("/")


def _refuse_unsafe_production() -> None:
    """Stop the start of a production server that would be open to the world."""
    wrong = {
        "SECRET_KEY must be set to a long random text of your own": len(SECRET_KEY) < 50 or SECRET_KEY == _DEFAULT_KEY,
        "DEBUG must be off": DEBUG,
        "ALLOWED_HOSTS must name the hosts served": not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS,
        "DATABASE_URL must name the PostgreSQL database": not env.str("DATABASE_URL", ""),
        "REDIS_URL must name the Redis or Valkey server": not env.str("REDIS_URL", ""),
        "PUBLIC_BASE_URL must be set, for the links in e-mails": not env.str("PUBLIC_BASE_URL", ""),
        "EMAIL_URL must name the mail server, or EMAIL_PROVIDER a provider": not env.str("EMAIL_URL", "")
        and not env.str("EMAIL_PROVIDER", ""),
    }
    reasons = [reason for reason, is_wrong in wrong.items() if is_wrong]
    if reasons:
        message = "Voronka does not start in production like this: " + "; ".join(reasons) + "."
        raise ImproperlyConfigured(message)


if IS_PRODUCTION:
    _refuse_unsafe_production()

# --- Application ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",  # commands and system checks of the whole project
    "adminsortable2",
    "django.contrib.auth",
    "django.contrib.admin",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "template_partials",
    "django_htmx",
    "pgtrigger",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "ninja",
    "crm",
    "pipeline",
    "metrics",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    # It asks the cookie and the browser, not the session: so what follows can speak the person's language.
    "django.middleware.locale.LocaleMiddleware",
    "config.middleware.BodyLimitMiddleware",
    # Outside the session, which needs the database, so that its absence is answered here.
    "config.middleware.DatabaseAwayMiddleware",
    "config.middleware.RefuseNulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    # Around what redirects to the login, and inside the messages, which are read here before they are put away.
    "config.middleware.HtmxMannersMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "config.middleware.PersonMiddleware",
    "config.second_factor.SecondFactorMiddleware",
    "config.middleware.MergedElsewhereMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.middleware.WrongValueMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,  # template_partials puts its own loader around these
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "config.context_processors.site",
                "crm.views.badges.badges",
            ],
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]

# --- Database and caches --------------------------------------------------------------------------------------------


def _database() -> dict[str, Any]:
    """DATABASE_URL's server, or the embedded one, which starts at the first connection."""
    if env.str("DATABASE_URL", ""):
        database: dict[str, Any] = env.db_url("DATABASE_URL")
    else:
        server = embedded.postgres(test=IS_TEST)
        database = {
            "ENGINE": "config.embedded.backend",
            "NAME": embedded.DATABASE_NAME,
            "USER": "postgres",
            "HOST": str(server.socket_folder),
        }
    # One connection a thread, kept under WSGI and looked at before it is used again: a restarted server is noticed.
    database |= {
        "CONN_MAX_AGE": _whole_number("CONN_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
    options = database.setdefault("OPTIONS", {})
    options.setdefault("connect_timeout", 2)
    # pgtrigger's functions look this setting up; where it is missing each row of a bulk load costs an aborted
    # subtransaction that walks the whole queue of trigger events: 100,000 deals took hours instead of seconds.
    options["options"] = f"{options.get('options', '')} -c pgtrigger.ignore={{}}".strip()
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the database: the broker may come and go without a page noticing.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "voronka_cache"},
    # Parts of templates that are the same for everybody (templates/base.html), in each process; drawn anew where they
    # are being written.
    "fragments": {
        "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
        "LOCATION": "fragments",
    },
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# The broker only wakes workers. config/celery.py turns this into Celery's spelling.
REDIS_URL = env.str("REDIS_URL", "") or f"unix://{embedded.valkey(test=IS_TEST).socket_path}?db=0"
IS_REDIS_EMBEDDED = not env.str("REDIS_URL", "")

# --- Accounts -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "crm.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if IS_TEST:  # Argon2 is slow on purpose; the suite makes thousands of people
    PASSWORD_HASHERS.insert(0, "django.contrib.auth.hashers.MD5PasswordHasher")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.adapters.ClosedAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an admin made the account, with an address the admin knows
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": "10/m/ip,5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Voronka"
# Whose address failed logins are counted by: so many proxies before us add to X-Forwarded-For.
ALLAUTH_TRUSTED_PROXY_COUNT = _whole_number("TRUSTED_PROXIES", 1 if IS_PRODUCTION else 0)
REQUIRE_SECOND_FACTOR_OF_ADMINS = env.bool("REQUIRE_SECOND_FACTOR_OF_ADMINS", False)

# Each token of the REST API; all of a minute's may come at once.
API_REQUESTS_PER_MINUTE = _whole_number("API_REQUESTS_PER_MINUTE", 300)

# --- Language, place and money --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "UTC")  # the organisation's: metrics cut their days in it
BASE_CURRENCY = env.str("BASE_CURRENCY", "EUR" if IS_TEST else "USD")  # the tests write their sums in euros
# Whose phone numbers are written without a country code: an ISO code, as RU, DE or US.
PHONE_REGION = env.str("PHONE_REGION", "RU").upper()
if PHONE_REGION not in SUPPORTED_REGIONS:
    message = f"PHONE_REGION is {PHONE_REGION!r}; it must be the two letters of a country, as RU, DE or US."
    raise ImproperlyConfigured(message)
RESPOND_WITHIN_MINUTES = _whole_number("RESPOND_WITHIN_MINUTES", 60)  # for leads whose source does not say

# --- Static files ---------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(VAR_DIR / "static")))
ASSETS_DIR = BASE_DIR / "var" / "assets"  # what `manage.py build_assets` makes out of packages
STATICFILES_DIRS = [BASE_DIR / "static", ASSETS_DIR]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.staticfiles.PackageFinder",
]
_STATIC_STORAGES = {
    "production": "whitenoise.storage.CompressedManifestStaticFilesStorage",
    # Hashed as in production; compressing takes ten seconds and gains nothing on one's own machine.
    "demo": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": _STATIC_STORAGES.get(VORONKA_ENV, "django.contrib.staticfiles.storage.StaticFilesStorage"),
    },
}
WHITENOISE_USE_FINDERS = VORONKA_ENV not in _STATIC_STORAGES
MEDIA_ROOT = VAR_DIR / "media"

# --- E-mail ---------------------------------------------------------------------------------------------------------

MAIL_DIR = VAR_DIR / "mail"
EMAIL_PROVIDER = "" if IS_DEMO else env.str("EMAIL_PROVIDER", "").lower()
# "name:password" in the address that the provider reports bounces to; without it nobody is listened to.
MAIL_EVENTS_SECRET = env.str("MAIL_EVENTS_SECRET", "")
ANYMAIL: dict[str, Any] = {}
if EMAIL_PROVIDER:
    if message := mail_providers.what_is_wrong(EMAIL_PROVIDER, os.environ):
        raise ImproperlyConfigured(message)
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
    ANYMAIL = mail_providers.settings_of(EMAIL_PROVIDER, os.environ, seconds=_whole_number("EMAIL_TIMEOUT", 20))
    ANYMAIL["WEBHOOK_SECRET"] = MAIL_EVENTS_SECRET
elif env.str("EMAIL_URL", "") and not IS_DEMO:  # whatever the environment says, a demo writes to nobody
    vars().update(env.email_url("EMAIL_URL"))
elif not IS_TEST:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(MAIL_DIR)
EMAIL_TIMEOUT = _whole_number("EMAIL_TIMEOUT", 20)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Voronka <voronka@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Domains in whose name the mail server may send: there a letter comes from its author's own address.
MAIL_OWN_DOMAINS = frozenset(domain.lower() for domain in env.list("MAIL_OWN_DOMAINS", default=[]))
MAIL_PER_SENDER_A_DAY = _whole_number("MAIL_PER_SENDER_A_DAY", 500)
MAIL_PER_DOMAIN_A_DAY = _whole_number("MAIL_PER_DOMAIN_A_DAY", 200)
# How long a sender has a row for itself; after that another takes it for dead. Longer than a job may run
# (config/celery.py).
# Mailboxes are read from servers on the internet; of those inside our own network only from these hosts. Of a message
# larger than the limit its beginning is read.
MAILBOX_HOSTS_INSIDE = frozenset(host.lower() for host in env.list("MAILBOX_HOSTS_INSIDE", default=[]))
MAILBOX_MESSAGE_MAX_BYTES = _whole_number(
    "MAILBOX_MESSAGE_MAX_BYTES", 25 * 1024 * 1024
)  # of a larger one the beginning
OUTBOX_LEASE_SECONDS = _whole_number("OUTBOX_LEASE_SECONDS", 120)
SWEEP_SECONDS = _whole_number("SWEEP_SECONDS", 15)  # how often what is due is looked for

# --- Imports --------------------------------------------------------------------------------------------------------

# An uploaded file lies in PostgreSQL for a week. What is larger than this is refused before it is read.
IMPORT_MAX_BYTES = _whole_number("IMPORT_MAX_MEGABYTES", 100) << 20

# --- Security -------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = _whole_number("SESSION_COOKIE_AGE", 14 * 24 * 3600)
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
if IS_PRODUCTION:
    ALLOWED_HOSTS += ["127.0.0.1"]  # the container's own health check
    # HTTPS=off is for a trial on one's own machine; everything behind it is then plain text.
    _IS_HTTPS = env.bool("HTTPS", True)
    SECURE_SSL_REDIRECT = _IS_HTTPS
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probes come from inside, without the proxy
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
    SECURE_HSTS_SECONDS = _whole_number("HSTS_SECONDS", 365 * 24 * 3600) if _IS_HTTPS else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _IS_HTTPS

# --- Logging --------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{levelname:<7} {name}: {message}", "style": "{"},
        "json": {"()": "config.logging.JsonFormatter"},
    },
    "filters": {"secrets": {"()": "config.logging.RedactSecrets"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["secrets"],
            "formatter": "json" if IS_PRODUCTION else "line",
        },
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
