"""REST addresses of accounts."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("auth/register", api.RegisterView.as_view()),
    path("auth/login", api.LoginView.as_view()),
    path("auth/refresh", api.RefreshView.as_view()),
    path("auth/logout", api.LogoutView.as_view()),
    path("auth/password", api.PasswordView.as_view()),
    path("users", api.UsersView.as_view()),
    path("users/me", api.MeView.as_view()),
    path("users/<uuid:user_id>", api.UserView.as_view()),
]
