"""Pages at the door that allauth has not, or has too openly."""

from typing import Any

from allauth.account import views as account
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal import signin


@login_required
def email(request: HttpRequest) -> HttpResponseBase:
    """Show and change the address; allauth only knows an address as somebody's own once it was told."""
    signin.know_address(request.user)
    response: HttpResponseBase = account.email(request)
    return response


# A stranger who got a mistyped address' mail must not be able to confirm it: allauth would let anybody with the link.
confirm_email = login_required(account.confirm_email)


class Sessions(ListUserSessionsView):
    """The person's sessions, newest first, with a readable name of the device."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["sessions"] = sorted(context["sessions"], key=lambda session: session.created_at, reverse=True)
        for session in context["sessions"]:
            session.device = signin.device(session.user_agent)
        return context


sessions = Sessions.as_view()


@require_POST
@login_required
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the person's own other sessions."""
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    end_sessions(request, [session])
    messages.success(request, _("The session was ended."))
    return redirect("usersessions_list")
