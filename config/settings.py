"""Django's settings, from the variables of `config.env`. Reading them starts nothing and opens no connection."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import logs
from config.database import django_database
from config.env import BASE_DIR, load, state_folder
from config.services import Place

env = load()

# --- The installation -----------------------------------------------------------------------------------------------
SECRET_KEY = env.secret_key.get_secret_value()
CREDENTIALS_KEYS = tuple(key.get_secret_value() for key in env.credentials_keys)  # the first encrypts, all decrypt
DEBUG = env.debug
RELEASE = env.release
STATE = state_folder(env.vitrina_state)
STORE_FOLDER = BASE_DIR / env.store_folder if env.store_folder else STATE / "store"
WEB_PORT = env.web_port
BOT_PORT = env.bot_port
FLOWER_PORT = env.flower_port
FLOWER_USER = env.flower_user
FLOWER_PASSWORD = env.flower_password.get_secret_value()
DASHBOARD_URL = env.dashboard_url
_public = urlsplit(DASHBOARD_URL)
# The loopback names are for health checks from the same machine.
ALLOWED_HOSTS = [*(env.allowed_hosts or (_public.hostname or "",)), "127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [*(env.csrf_trusted_origins or (f"{_public.scheme}://{_public.netloc}",))]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "ninja",  # for its static files: the page of the API works without the network
    "apps.common",
    "apps.shops",
    "apps.jobs",
    "apps.notifications",
    "apps.catalog",
    "apps.sales",
    "apps.decisions",
    "apps.experiments",
    "apps.analytics",
    "apps.pricing",
    "apps.inventory",
    "apps.reports",
    "apps.dashboard",
    "apps.backoffice",
    "bots",
]

# The module of the daily jobs (TIMETABLE) and of the clock's ticks (TICKS).
TIMETABLE = "config.timetable"
# The kinds of outside change that the gate knows.
DECISION_KINDS = ("apps.pricing.kinds.SetPrice",)

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.shops.middleware.speak",
    "apps.shops.middleware.guard",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Servers --------------------------------------------------------------------------------------------------------
PLACE = Place(STATE)
EMBEDDED = not (env.database_url and env.redis_url)  # the pair runs when one of the two is needed
DATABASE_URL = env.database_url.get_secret_value() if env.database_url else PLACE.database_url
REDIS_URL = env.redis_url.get_secret_value() if env.redis_url else PLACE.redis_url
DATABASES = {"default": django_database(DATABASE_URL, role=env.process_role)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Words and time -------------------------------------------------------------------------------------------------
LANGUAGE_CODE = env.default_language
LANGUAGES = [("ru", _("Russian")), ("uk", _("Ukrainian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = env.timezone

# --- Static files and uploads ----------------------------------------------------------------------------------------
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # served from where they lie: there is no copy to keep in step

FILE_UPLOAD_HANDLERS = [
    "apps.common.uploads.KeepTheFirstBytes",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Who may do what ------------------------------------------------------------------------------------------------
LOGIN_URL = "admin:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if env.behind_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if _public.scheme == "https" and not DEBUG:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- Outside systems ------------------------------------------------------------------------------------------------
OZON_API_URL = env.ozon_api_url
KEYCRM_API_URL = env.keycrm_api_url
KEYCRM_CALLS_A_MINUTE = env.keycrm_calls_a_minute
WORLD_URL = env.world_url
DEADMAN_URL = env.deadman_url
TELEGRAM_API_URL = env.telegram_api_url
TELEGRAM_BOT_TOKEN = env.telegram_bot_token.get_secret_value()
TELEGRAM_ADMIN_CHAT_ID = env.telegram_admin_chat_id
TELEGRAM_WEBHOOK_URL = env.telegram_webhook_url
TELEGRAM_WEBHOOK_SECRET = env.telegram_webhook_secret.get_secret_value()

# --- The first shop, for `manage.py bootstrap` ----------------------------------------------------------------------
ADMIN_USERNAME = env.admin_username
ADMIN_PASSWORD = env.admin_password.get_secret_value()
ADMIN_USER_IDS = env.admin_user_ids
OZON_CLIENT_ID = env.ozon_client_id
OZON_API_KEY = env.ozon_api_key.get_secret_value()
OZON_PERFORMANCE_CLIENT_ID = env.ozon_performance_client_id
OZON_PERFORMANCE_API_KEY = env.ozon_performance_api_key.get_secret_value()
KEYCRM_API_KEY = env.keycrm_api_key.get_secret_value()
ANTHROPIC_API_KEY = env.anthropic_api_key.get_secret_value()

# --- The API --------------------------------------------------------------------------------------------------------
API_CALLS_PER_MINUTE = env.api_calls_per_minute

# --- Guards ---------------------------------------------------------------------------------------------------------
HELD_CHANGE_RATE = env.held_change_rate

# In these processes somebody looks at the screen until the answer comes.
PEOPLE_WAIT = env.process_role in ("web", "bot")

# --- Waits, in seconds ----------------------------------------------------------------------------------------------
HTTP_DEADLINE_SECONDS = env.http_deadline_seconds
LEASE_MARGIN_SECONDS = env.lease_margin_seconds
SETTLE_SECONDS = env.settle_seconds
KEY_ASK_SECONDS = env.key_ask_seconds
KEY_PROBE_SECONDS = env.key_probe_seconds
JOB_LEASE_SECONDS = env.job_lease_seconds
TICK_ALERT_SECONDS = env.tick_alert_seconds
OUTBOX_POLL_SECONDS = env.outbox_poll_seconds
CHAT_SECONDS = env.chat_seconds
OUTBOX_REPEAT_SECONDS = env.outbox_repeat_seconds
LATER_SECONDS = env.later_seconds
SOFT_SHUTDOWN_SECONDS = env.soft_shutdown_seconds

# --- Logs -----------------------------------------------------------------------------------------------------------
LOGGING = logs.configuration(level=env.log_level, json=not DEBUG, secrets=env.secrets())

# --- The admin ------------------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Vitrina",
    "SITE_HEADER": "Vitrina",
    "SITE_SYMBOL": "storefront",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("vitrina/icon.svg")}],
    "DASHBOARD_CALLBACK": "apps.backoffice.overview.overview",
    "SIDEBAR": {"navigation": "apps.backoffice.navigation.navigation"},
    "ACCOUNT": {
        "navigation": [
            {"title": _("My settings"), "link": reverse_lazy("my-settings")},
            {"title": _("My API tokens"), "link": reverse_lazy("my-tokens")},
        ]
    },
}
