"""URLs of the full host, and a page that refuses for any reason: some belong to pages that are yet to come."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal.pages.refusals import Refused
from portal.pages.views.base import PortalPage
from tests.hosts import full


class Refusing(PortalPage):
    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        raise Refused(request.GET["reason"], wait=timedelta(seconds=int(request.GET.get("wait", "42"))))

    def post(self, request: HttpRequest) -> HttpResponse:
        self.require_session(request)
        return HttpResponse("saved")


urlpatterns = [path("<slug:slug>/refusing/", Refusing.as_view()), *full.urlpatterns]
