"""Page addresses of accounts."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.LoginView.as_view(), name="login"),
    path("register", views.RegisterView.as_view(), name="register"),
    path("logout", views.log_out, name="logout"),
    path("settings", views.SettingsView.as_view(), name="settings"),
]
