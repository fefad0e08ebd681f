"""REST of accounts: registration, tokens, people."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import access, actions, tokens
from accounts.models import SignIn, User
from accounts.serializers import (
    LoginSerializer,
    LogoutSerializer,
    PasswordChangeSerializer,
    ProfileSerializer,
    RefreshSerializer,
    RegistrationSerializer,
    own_document,
    user_document,
    user_documents,
)
from chatproject.api import PublicView, checked
from chatproject.errors import Invalid
from chatproject.operations import PAGED, Parameter, operation, page_of
from chatproject.rest import Cursor, text_parameter
from chatproject.schemas import BOOLEAN, TEXT, object_of, ref

_TOKENS = {"access": TEXT, "refresh": TEXT}
_SIGNED_IN = object_of(user=ref("OwnUser"), **_TOKENS)


def token_document(sign_in: SignIn) -> dict[str, Any]:
    return {"access": tokens.access_token(sign_in), "refresh": tokens.refresh_token(sign_in)}


def origin_of(request: Any) -> dict[str, Any]:
    """Which device asks: ``user_agent`` and ``address``."""
    return {
        "user_agent": request.headers.get("User-Agent", ""),
        "address": request.META.get("REMOTE_ADDR") or None,
    }


class RegisterView(PublicView):
    @operation(
        "Make an account",
        body=RegistrationSerializer,
        answers={201: _SIGNED_IN},
        errors=[403],
    )
    def post(self, request: Request) -> Response:
        given, origin = checked(RegistrationSerializer, request), origin_of(request)
        user = actions.register_user(**given, address=origin["address"])
        sign_in = actions.start_sign_in(user=user, kind=SignIn.Kind.TOKEN, **origin)
        return Response({"user": own_document(user), **token_document(sign_in)}, 201)


class LoginView(PublicView):
    @operation(
        "Sign in",
        body=LoginSerializer,
        answers={200: _SIGNED_IN},
        errors=[401],
        text="`username` takes the email, too; case does not matter.",
    )
    def post(self, request: Request) -> Response:
        given = checked(LoginSerializer, request)
        sign_in = actions.sign_in(
            identifier=given["username"],
            password=given["password"],
            kind=SignIn.Kind.TOKEN,
            **origin_of(request),
        )
        return Response({"user": own_document(sign_in.user), **token_document(sign_in)})


class RefreshView(PublicView):
    @operation(
        "Exchange a refresh token",
        body=RefreshSerializer,
        answers={200: object_of(**_TOKENS)},
        errors=[401],
        text="The old one is spent. Used over 30 s after its exchange, it ends that session.",
    )
    def post(self, request: Request) -> Response:
        sign_in = actions.refresh(token=checked(RefreshSerializer, request)["refresh"])
        return Response(token_document(sign_in))


class LogoutView(PublicView):
    @operation(
        "Sign out",
        body=LogoutSerializer,
        answers={204: None},
        text="The session of this token is dead and its sockets are closed. Any text is taken.",
    )
    def post(self, request: Request) -> Response:
        actions.sign_out(token=checked(LogoutSerializer, request)["refresh"])
        return Response(status=204)


class PasswordView(APIView):
    @operation(
        "Change one's password",
        body=PasswordChangeSerializer,
        answers={204: None},
        text="Every other session ends.",
    )
    def post(self, request: Request) -> Response:
        given = checked(PasswordChangeSerializer, request)
        actions.change_password(actor=request.user, sign_in=request.auth, **given)
        return Response(status=204)


class UserCursor(Cursor):
    ordering = ("username", "id")


class UsersView(APIView):
    @operation(
        "Find people",
        answers={200: page_of("User")},
        parameters=[
            Parameter(
                "search",
                "Any part of the username or the display name, whatever its accents.",
                TEXT,
            ),
            Parameter("online", "Only who is online.", {**BOOLEAN, "default": False}),
            *PAGED,
        ],
    )
    def get(self, request: Request) -> Response:
        users = User.objects.filter(is_active=True)
        if search := text_parameter(request, "search"):
            users = users.matching(search)
        if _wants_online(request):
            users = users.online()
        pages = UserCursor()
        page = pages.paginate_queryset(users, request, self)
        return pages.get_paginated_response(user_documents(page))


def _wants_online(request: Request) -> bool:
    value = request.query_params.get("online", "false")
    if value not in ("true", "false"):
        raise Invalid("Either true or false.", attr="online")
    return value == "true"


class UserView(APIView):
    @operation("One person", answers={200: ref("User")})
    def get(self, request: Request, user_id: UUID) -> Response:
        return Response(user_document(access.person(user_id)))


class MeView(APIView):
    @operation("Oneself", answers={200: ref("OwnUser")})
    def get(self, request: Request) -> Response:
        return Response(own_document(request.user))

    @operation("Change oneself", body=ProfileSerializer, answers={200: ref("OwnUser")})
    def patch(self, request: Request) -> Response:
        user = actions.update_profile(actor=request.user, **checked(ProfileSerializer, request))
        return Response(own_document(user))
