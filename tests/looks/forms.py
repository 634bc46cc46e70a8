"""A form for the elements that wait for the keys pages."""

from django import forms

PAGE = """{% extends "portal/layouts/inside.html" %}{% load portal %}{% block title %}Create a key{% endblock %}
{% block main %}{% element "error_summary" form=form title="There is a problem" %}{% endelement %}
<h1>Create a key</h1><form>{% element "field" field=form.name %}{% endelement %}</form>{% endblock %}"""


class NameForm(forms.Form):
    name = forms.CharField(
        label="Name", help_text="For example: Production server.", error_messages={"required": "Enter a name"}
    )


def processor(request):
    return {"form": NameForm({})}
