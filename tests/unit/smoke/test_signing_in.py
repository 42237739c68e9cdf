"""Forms of sign-in pages of three products, as they are served, and what is sent back."""

from __future__ import annotations

import pytest

from slurmhub_deploy.smoke.forms import read_page
from slurmhub_deploy.smoke.signing_in import Credentials, asks_password, filled, going_on

WHO = Credentials("probe", "a-password-for-tests")

SHIBBOLETH = """
<html><head><title>Web Login Service</title></head><body>
<form action="/idp/profile/SAML2/Redirect/SSO?execution=e1s2" method="post">
<input type="hidden" name="csrf_token" value="_c1" />
<label for="username">Username</label>
<input class="form-element" id="username" name="j_username" type="text" value="">
<input class="form-element" id="password" name="j_password" type="password" value="">
<input type="checkbox" name="donotcache" value="1" id="donotcache">
<input type="checkbox" name="_shib_idp_revokeConsent" value="true">
<button class="form-button" type="submit" name="_eventId_proceed">Login</button>
</form></body></html>
"""
SHIBBOLETH_STORAGE = """
<body onload="doLoad()"><form name="form1" method="POST" action="?execution=e1s1">
<input type="hidden" name="csrf_token" value="_c0"/>
<input type="hidden" name="shib_idp_ls_exception.shib_idp_session_ss" value=""/>
<input type="hidden" name="shib_idp_ls_supported" value=""/>
<input type="hidden" name="_eventId_proceed" value=""/>
<noscript><input type="submit" value="Continue" /></noscript></form></body>
"""
SHIBBOLETH_CONSENT = """
<form action="?execution=e1s3" method="post">
<input type="checkbox" name="_shib_idp_consentIds" value="mail" checked>
<input type="radio" name="_shib_idp_consentOptions" value="once">
<input type="radio" name="_shib_idp_consentOptions" value="remember" checked>
<input type="submit" name="_eventId_AttributeReleaseRejected" value="Reject">
<input type="submit" name="_eventId_proceed" value="Accept"></form>
"""
SIMPLESAMLPHP = """
<form action="?" method="post" name="f">
<input id="username" type="text" name="username" tabindex="1" value="" />
<input id="password" type="password" tabindex="2" name="password"/>
<input type="hidden" name="AuthState" value="_a:https://idp.example.ca/"/>
<button id="regularsubmit" class="btn" tabindex="6">Login</button></form>
"""
ADFS = """
<form method="post" id="loginForm" action="/adfs/ls/?SAMLRequest=abc">
<input id="userNameInput" name="UserName" type="email" value="" />
<input id="passwordInput" name="Password" type="password" />
<input id="kmsiInput" type="checkbox" name="Kmsi" value="true" />
<input id="optionForms" type="hidden" name="AuthMethod" value="FormsAuthentication"/>
<span id="submitButton" class="submit">Sign in</span></form>
"""
POST_BACK = """
<body onload="document.forms[0].submit()">
<form method="post"
 action="https&#x3a;&#x2f;&#x2f;hub.example.ca&#x2f;hub&#x2f;Shibboleth.sso&#x2f;SAML2&#x2f;POST">
<input type="hidden" name="RelayState" value="ss&#x3a;mem&#x3a;1"/>
<input type="hidden" name="SAMLResponse" value="PHNhbWw+"/>
<noscript><input type="submit" value="Continue"/></noscript></form></body>
"""


@pytest.mark.parametrize(
    ("page", "at", "sent"),
    [
        (
            SHIBBOLETH,
            "https://idp.example.ca/idp/profile/SAML2/Redirect/SSO?execution=e1s2",
            {"csrf_token": "_c1", "j_username": "probe", "_eventId_proceed": ""},
        ),
        (
            SIMPLESAMLPHP,
            "https://idp.example.ca/login",
            {"username": "probe", "AuthState": "_a:https://idp.example.ca/"},
        ),
        (
            ADFS,
            "https://idp.example.ca/adfs/ls/?SAMLRequest=abc",
            {"UserName": "probe", "AuthMethod": "FormsAuthentication"},
        ),
    ],
    ids=["Shibboleth", "SimpleSAMLphp", "AD FS"],
)
def test_name_and_password_go_where_the_page_asks(page: str, at: str, sent: dict[str, str]) -> None:
    form = asks_password(read_page("https://idp.example.ca/login", page))
    assert form is not None
    assert (form.method, form.action) == ("post", at)
    given = filled(form, WHO)
    passwords = [name for name, value in given.items() if value == WHO.password]
    assert len(passwords) == 1
    assert {name: value for name, value in given.items() if name not in passwords} == sent


def test_a_response_is_posted_on_as_it_is() -> None:
    led = going_on(read_page("https://idp.example.ca/sso", POST_BACK))
    assert led is not None
    form, sent = led
    assert form.action == "https://hub.example.ca/hub/Shibboleth.sso/SAML2/POST"
    assert sent == {"RelayState": "ss:mem:1", "SAMLResponse": "PHNhbWw+"}


def test_a_page_that_only_a_script_would_leave_is_left() -> None:
    led = going_on(read_page("https://idp.example.ca/idp/sso?execution=e1s1", SHIBBOLETH_STORAGE))
    assert led is not None
    assert led[0].action == "https://idp.example.ca/idp/sso?execution=e1s1"
    assert led[1]["_eventId_proceed"] == ""


def test_what_is_released_is_agreed_to_and_not_refused() -> None:
    led = going_on(read_page("https://idp.example.ca/idp/sso?execution=e1s3", SHIBBOLETH_CONSENT))
    assert led is not None
    assert led[1] == {
        "_shib_idp_consentIds": "mail",
        "_shib_idp_consentOptions": "remember",
        "_eventId_proceed": "Accept",
    }


def test_a_page_with_nothing_to_do_leads_nowhere() -> None:
    page = read_page("https://idp.example.ca/x", "<title> No\n access </title><form></form>")
    assert asks_password(page) is None
    assert going_on(page) is None
    assert page.title == "No access"


def test_the_password_is_in_no_representation() -> None:
    assert WHO.password not in repr(WHO)
