import pytest


@pytest.mark.django_db
def test_flow(api, config, root_key):
    body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["api.*.read_key"]}
    code = api("createSession", body, token=root_key.secret).json()["data"]["sessionId"]
    answer = api("exchangeSession", {"sessionId": code})
    assert answer.status_code == 200, answer.content
    assert api("getSession", token=answer.json()["data"]["token"]).json()["data"]["externalId"] == "user_123"
