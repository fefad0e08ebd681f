"""All settings. Every value that an operator may set comes from the environment, strictly."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import django
import drf_spectacular_sidecar
from csp.constants import NONE, SELF

from chatproject import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(BASE_DIR / ".env")

HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, 1, 65535)
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / "data")
DEBUG = env.boolean("DEBUG", default=False)
SITE_NAME = env.text("SITE_NAME", "Chat")
REGISTRATION_OPEN = env.choice("REGISTRATION", "open", ["open", "closed"]) == "open"
REDIS_URL = env.url("REDIS_URL", "", ["redis", "rediss"])
WORKERS = env.integer("WORKERS", 1, 1, 64)
RATE_LIMITS = env.boolean("RATE_LIMITS", default=True)
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

SECRET_KEY = env.strong_text("SECRET_KEY") or env.secret(DATA_DIR, "secret_key")
PUBLIC_URL = env.origin("PUBLIC_URL", f"http://{f'[{HOST}]' if ':' in HOST else HOST}:{PORT}")
IS_TLS = PUBLIC_URL.startswith("https://")

# Where requests may come from.
_LOCAL_NAMES = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = sorted({urlsplit(PUBLIC_URL).hostname or HOST, HOST, *_LOCAL_NAMES})
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# How much somebody may do: so many in so many seconds, and so many at once.
RATES = {
    "message": (20, 10, 40),  # a user, through all doors
    "change": (100, 10, 200),  # a user's edits, reactions, members, names: what others hear of
    "frame": (200, 10, 400),  # a socket: beyond this it is closed
    "connect": (60, 60, 60),  # a user's sockets
    "sign-in": (5, 15 * 60, 5),  # wrong passwords, of an account and address together
    "sign-in from address": (30, 15 * 60, 30),
    "sign-in to account": (100, 15 * 60, 100),
    "old password": (5, 15 * 60, 5),  # wrong ones of a user who sets a new one
    "registration": (100, 60 * 60, 100),  # an address
}
MAX_SOCKETS = 10  # open ones of a user

INSTALLED_APPS = [
    *(["daphne"] if DEBUG else []),  # manage.py runserver over ASGI; loading it takes long
    "django.contrib.admin",
    "accounts",  # its commands stand in for those of the next
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_standardized_errors",
    "csp",
    "chatproject",
    "chats",
    "messaging",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "chatproject.policy.ContentPolicy",
    "chatproject.requests.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "chatproject.outages.OutageMiddleware",
]

ROOT_URLCONF = "chatproject.urls"
ASGI_APPLICATION = "chatproject.asgi.application"
APPEND_SLASH = False

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
                "chatproject.context.site",
                "accounts.context.preferences",
            ],
        },
    },
]

# Database: SQLite in DATA_DIR, or PostgreSQL.
DATABASES = {"default": env.database("DATABASE_URL", DATA_DIR / "chat.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if IS_SQLITE:
    DATABASES["default"]["CONN_MAX_AGE"] = None  # opening the file costs more than most requests
    DATABASES["default"]["OPTIONS"] = {
        # Two deferred transactions that both want to write make one of them fail at once.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        " PRAGMA cache_size=-16000; PRAGMA mmap_size=134217728;",
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 2,
        "max_size": 20,
        "timeout": 5,
        "reconnect_timeout": 5,  # longer, and the pauses between its attempts grow with it
    }
    # Whoever waits longer, for a lock or for a host that vanished, is told to try again.
    DATABASES["default"]["OPTIONS"] |= {
        # An answer counts on what is on disk, whatever the server's own default is. To compile a
        # query takes longer than any of these runs.
        "options": "-c lock_timeout=1s -c synchronous_commit=on -c jit=off",
        "server_side_binding": True,
        "prepare_threshold": 5,
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# The channel layer carries events between processes, at most once.
if REDIS_URL:
    # Two installations may share a Redis: channels know nothing of its numbered databases.
    _PREFIX = f"chat-{env.derived_key(SECRET_KEY, 'redis')[:12]}"
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "prefix": _PREFIX,
                "hosts": [
                    {"address": REDIS_URL, "socket_connect_timeout": 1, "socket_timeout": 30}
                ],
            },
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "chatproject.cache.RedisOrNothing",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": _PREFIX,
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 20_000},
        }
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.db"

# Who somebody is.
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS = [
    "auth.E003",  # the username is unique, by a constraint on its lower case
    "security.W005",  # other hosts below this one are not ours to bind to TLS
    "security.W021",  # nor to put on browsers' lists
    "security.W008",  # the proxy in front sends people from http to https
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email", "display_name")},
    },
    {"NAME": "accounts.passwords.LengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCESS_TOKEN_LIFETIME = timedelta(minutes=60)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": env.derived_key(SECRET_KEY, "jwt"),
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "USER_ID_CLAIM": "user_id",
}

SESSION_COOKIE_NAME = "__Host-sessionid" if IS_TLS else "sessionid"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_TLS
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_TLS else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["message-html"],
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["chatproject.rest.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chatproject.rest.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chatproject.rest.JSONOnly",
    "DEFAULT_PAGINATION_CLASS": "chatproject.rest.Cursor",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_FORMATTER_CLASS": "chatproject.api.Formatter",
    "EXCEPTION_HANDLER_CLASS": "chatproject.outages.Handler",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_PATCH": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enum_id_removal"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Static files. The address changes with every release, so browsers may keep them for ever.
# Served from a copy: an upgrade under a running server must not mix two releases.
RELEASE = "-".join(
    [env.release(BASE_DIR / "static"), django.get_version(), drf_spectacular_sidecar.__version__]
)
STATIC_ROOT = DATA_DIR / "static" / RELEASE
_SIDECAR = Path(drf_spectacular_sidecar.__file__).parent / "static" / "drf_spectacular_sidecar"
STATICFILES_DIRS = [BASE_DIR / "static", ("swagger-ui", _SIDECAR / "swagger-ui-dist")]
STATIC_URL = f"/static/{RELEASE}/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedStaticFilesStorage"},
}
SERVESTATIC_USE_FINDERS = DEBUG
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_MAX_AGE = 0 if DEBUG else 365 * 24 * 3600

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {
        "no_outages": {  # who answers 503 has said why already
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != 503,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["no_outages"]},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # scanners ask all day
        "uvicorn.error": {"level": "WARNING"},  # else two lines a socket
        # It writes a traceback a second while Redis is away; the listener says it once.
        "channels_redis.pubsub": {"level": "CRITICAL"},
        "psycopg.pool": {"level": "ERROR"},  # a line an attempt; who fails for it says so, too
    },
}
