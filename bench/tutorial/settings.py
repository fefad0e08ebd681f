"""Its settings: the database and the Redis of the product beside it."""

import os

import environ

SECRET_KEY = "only for measurements"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["channels", "bench.tutorial"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {"default": environ.Env().db("DATABASE_URL")}
if os.environ.get("REDIS_URL"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
