"""What a host's middleware may do before our views."""


def reads_body(get_response):
    def middleware(request):
        request.body  # noqa: B018
        return get_response(request)

    return middleware


def reads_form(get_response):
    def middleware(request):
        request.POST  # noqa: B018
        return get_response(request)

    return middleware
