"""Every attack on the sign-in that is tried, what holds against it, and the tests that try it.

docs/security.md shows this table; a run that tried some of them ends with what came of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HUB = "tests/attack/test_identity_headers.py"
_SIGN_OUT = "tests/attack/test_sign_out.py"
_PAGES = "tests/attack/test_sign_in_pages.py"
_HELPER = "tests/attack/test_account_helper.py"
_REQUESTS = "tests/attack/test_account_requests.py"
_FRONT = "tests/shibboleth/test_front.py"
_FORGED = "tests/shibboleth/test_forged_requests.py"
_RESPONSES = "tests/shibboleth/test_saml_responses.py"
_SIGNATURES = "tests/shibboleth/test_saml_signatures.py"
_DOCUMENTS = "tests/shibboleth/test_saml_documents.py"
_METADATA = "tests/shibboleth/test_metadata.py"
_WHOLE = "tests/shibboleth/test_hub.py"


@dataclass(frozen=True)
class Attack:
    """What is tried, what held, the tests that try it, and those of what must work beside it.

    Where `works` is empty the same tests have both.
    """

    tried: str
    held: str
    tests: tuple[str, ...]
    works: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """All its tests."""
        return self.tests + self.works


ATTACKS = (
    Attack(
        "a job on a node, or anybody past the front, says at the hub's port who they are",
        "a secret that the front alone sets, on the login location, compared in constant time",
        (
            f"{_WHOLE}::test_a_job_on_a_node_is_nobody",
            f"{_WHOLE}::test_the_hub_takes_no_identity_but_the_fronts",
            f"{_HUB}::test_without_the_secret_nobody_is_anybody",
            f"{_HUB}::test_the_secret_twice_is_no_secret",
            f"{_HUB}::test_no_headers_without_the_secret_sign_anybody_in",
        ),
        (f"{_HUB}::test_the_front_signs_people_in",),
    ),
    Attack(
        "an attribute is missing, empty or “(null)”",
        "`expr=%{reqenv:…}` at the front; the hub refuses empty and “(null)”",
        (
            f"{_FRONT}::test_what_is_missing_is_empty",
            f"{_HUB}::test_what_a_university_sends_wrongly_is_refused_in_words",
        ),
        (f"{_FRONT}::test_a_person_signs_in", f"{_HUB}::test_the_front_signs_people_in"),
    ),
    Attack(
        "a blocked person signs in",
        "JupyterHub's own path of sign-in, with its allow and block lists",
        (f"{_HUB}::test_blocked_people_are_refused_and_admins_are_admins",),
    ),
    Attack(
        "`Connection` names a header of the front's, so that a proxy drops it",
        "the front refuses such requests, and unsets `Connection` there; absence decides nothing",
        (
            f"{_FORGED}::test_connection_drops_no_header_of_the_front",
            f"{_HUB}::test_a_hop_by_hop_header_takes_nothing_of_the_fronts_away",
        ),
        (f"{_FORGED}::test_an_ordinary_connection_header_changes_nothing",),
    ),
    Attack(
        "identity headers in other spellings: `X_Shib_User`, another case, twice",
        "refused and counted at the front and in the hub",
        (
            f"{_FORGED}::test_nobody_says_who_they_are",
            f"{_FORGED}::test_many_values_hide_none",
            f"{_HUB}::test_such_headers_are_refused_in_every_spelling",
            f"{_HUB}::test_nor_beside_what_the_front_says",
        ),
        (f"{_HUB}::test_headers_of_ordinary_browsers_and_proxies_pass",),
    ),
    Attack(
        "headers that the SP would clean only where it is active, or behind an empty decoy",
        "`ShibUseHeaders Off`; the front's names are unset on the whole host, and set again",
        (
            f"{_FORGED}::test_an_empty_header_hides_nothing_that_counts",
            f"{_FRONT}::test_elsewhere_the_front_says_nothing",
        ),
        (f"{_FRONT}::test_a_person_signs_in",),
    ),
    Attack(
        "the SP's session cookie reaches a notebook server",
        "its path is the hub's, and it is taken off requests; the SP's handler still gets it",
        (f"{_FRONT}::test_cookies_of_the_service_provider_stay_at_the_front",),
        (f"{_FRONT}::test_the_hub_is_told_of_the_end",),
    ),
    Attack(
        "an institution asserts another one's scope",
        "the stock attribute ids and policy; `idp_scopes` in the hub",
        (
            f"{_FRONT}::test_nobody_asserts_the_scope_of_others",
            f"{_SIGNATURES}::test_a_provider_speaks_for_its_own_people_alone",
            f"{_HUB}::test_the_same_name_at_another_university_is_not_the_same_person",
        ),
    ),
    Attack(
        "several values, other bytes than UTF-8, line breaks",
        "values are split and decoded as the SP joins them; a value with a line break is dropped",
        (
            f"{_FRONT}::test_a_line_break_begins_no_header",
            f"{_HUB}::test_other_bytes_than_utf8_are_refused",
            f"{_HUB}::test_whatever_the_front_is_made_to_say_is_refused_or_that_person",
        ),
        (f"{_FRONT}::test_a_person_signs_in",),
    ),
    Attack(
        "other spellings of the sign-in's path: `//`, `%6c`, `/./`, `;x`, `/HUB`",
        "one spelling gets the secret; others are not found",
        (
            f"{_FORGED}::test_sign_in_has_one_spelling",
            f"{_FORGED}::test_who_is_not_signed_in_does_not_reach_the_hub_there",
            f"{_HUB}::test_other_paths_are_not_that_location",
            f"{_HUB}::test_other_methods_sign_nobody_in",
        ),
        (f"{_HUB}::test_the_front_signs_people_in",),
    ),
    Attack(
        "a SAML response for another audience, recipient or bearer",
        "the SP's checks of audience, recipient, destination and confirmation",
        (f"{_RESPONSES}::test_what_is_meant_for_others_is_refused",),
    ),
    Attack(
        "a SAML response that is too old or not valid yet",
        "the SP's checks of every time in it, with three minutes between clocks",
        (
            f"{_RESPONSES}::test_what_is_not_of_now_is_refused",
            f"{_RESPONSES}::test_a_session_that_is_over_is_none",
        ),
        (f"{_RESPONSES}::test_clocks_may_be_a_little_apart",),
    ),
    Attack(
        "a SAML response to another request, or to none; planted in another browser",
        "a policy that takes answers to this browser's own request alone",
        (
            f"{_RESPONSES}::test_what_answers_something_else_is_refused",
            f"{_FRONT}::test_a_response_serves_only_the_browser_that_asked",
        ),
    ),
    Attack(
        "a SAML response or its assertion once more",
        "the SP keeps the IDs that it has seen",
        (
            f"{_RESPONSES}::test_an_assertion_serves_once",
            f"{_FRONT}::test_a_response_serves_once",
        ),
    ),
    Attack(
        "a response unsigned, changed, by another key, or of a provider that nobody knows",
        "keys come from metadata alone",
        (
            f"{_SIGNATURES}::test_nobody_else_signs_for_a_provider",
            f"{_SIGNATURES}::test_a_provider_that_is_in_no_metadata_is_nobody",
            f"{_SIGNATURES}::test_one_provider_does_not_speak_in_an_envelope_of_another",
            f"{_FRONT}::test_only_the_providers_own_key_signs",
        ),
    ),
    Attack(
        "a signature by MD5 or SHA-1, by no method, or with the certificate as a shared secret",
        "the SP's list of excluded methods",
        (f"{_SIGNATURES}::test_weak_methods_sign_nothing",),
    ),
    Attack(
        "signature wrapping: XSW1 to XSW8, and parts of two assertions",
        "the SP's schemas, unique IDs, and a signature of what it lies in",
        (
            f"{_SIGNATURES}::test_a_signature_covers_what_is_believed",
            f"{_SIGNATURES}::test_a_lie_beside_the_truth_is_not_heard",
            f"{_SIGNATURES}::test_parts_of_two_people_make_no_third",
        ),
    ),
    Attack(
        "comments and other marks within a signed value, to cut it short",
        "values are read whole; what is no text is refused",
        (
            f"{_DOCUMENTS}::test_a_mark_in_a_value_cuts_nothing_off",
            f"{_DOCUMENTS}::test_a_mark_in_the_name_of_the_session_changes_nothing",
            f"{_DOCUMENTS}::test_other_marks_are_refused",
        ),
    ),
    Attack(
        "document types, entities, files and addresses in XML; what is no response at all",
        "the SP's parser takes no document type",
        (
            f"{_DOCUMENTS}::test_a_document_type_is_refused",
            f"{_DOCUMENTS}::test_what_is_no_response_is_refused",
            f"{_HUB}::test_messages_that_are_none_do_nothing",
        ),
        (f"{_HUB}::test_only_the_front_ends_sessions",),
    ),
    Attack(
        "a response brought to another handler of the SP's",
        "each takes what is addressed to it, by the same rules",
        (f"{_DOCUMENTS}::test_other_ways_in_are_as_narrow",),
    ),
    Attack(
        "metadata that is unsigned, by another key, expired or valid for too long",
        "the front's filters of metadata",
        (f"{_METADATA}::test_metadata_that_anybody_could_serve_is_not",),
        (f"{_METADATA}::test_a_federation_is_believed",),
    ),
    Attack(
        "sign-in, sign-out or the choice of an institution leads to another site",
        "addresses to return to must be this hub's own",
        (
            f"{_DOCUMENTS}::test_nobody_is_led_elsewhere_by_a_sign_in",
            f"{_FRONT}::test_nobody_is_led_elsewhere_by_a_sign_out",
            f"{_HUB}::test_nobody_is_led_elsewhere",
            f"{_PAGES}::test_the_choice_leads_nowhere_else",
        ),
        (f"{_PAGES}::test_a_choice_leads_back_to_the_sp",),
    ),
    Attack(
        "cookies, tokens, codes and websockets copied before a sign-out, replayed after it",
        "the hub's own sessions, and tokens that are revoked with them",
        (
            f"{_WHOLE}::test_a_student_signs_in_works_and_leaves",
            f"{_WHOLE}::test_a_sign_out_elsewhere_ends_all_of_it",
            f"{_SIGN_OUT}::test_copies_of_everything_are_worth_nothing",
            f"{_SIGN_OUT}::test_a_word_of_the_sp_ends_everything_of_that_session",
            f"{_SIGN_OUT}::test_a_code_that_was_not_used_yet_is_worth_nothing",
            f"{_SIGN_OUT}::test_the_hub_session_of_a_browser_is_not_the_browsers_to_choose",
            f"{_SIGN_OUT}::test_a_restart_revives_nothing_and_ends_nothing",
        ),
    ),
    Attack(
        "half a session, a planted one, or another person's",
        "two cookies that belong together, made anew at each sign-in",
        (
            f"{_SIGN_OUT}::test_one_cookie_without_the_other_is_nothing",
            f"{_SIGN_OUT}::test_a_session_id_from_elsewhere_is_not_taken_over",
            f"{_SIGN_OUT}::test_signing_in_anew_ends_what_this_browser_had",
        ),
    ),
    Attack(
        "somebody else ends a session: a forged logout request or notice",
        "signatures of the session's own provider; the front's secret on the back channel",
        (
            f"{_WHOLE}::test_nobody_else_ends_a_session",
            f"{_HUB}::test_only_the_front_ends_sessions",
            f"{_FORGED}::test_the_address_for_notices_serves_nothing_else",
        ),
    ),
    Attack(
        "`slurmhub-account` is asked for somebody else's account, name, number or home",
        "its own register; never an account that it did not make, never below its range",
        (
            f"{_HELPER}::test_accounts_that_it_did_not_make_are_let_be",
            f"{_HELPER}::test_another_persons_account_is_never_given",
            f"{_HELPER}::test_numbers_that_are_not_for_people",
            f"{_HELPER}::test_a_number_is_given_once",
            f"{_REQUESTS}::test_a_home_of_somebody_else_is_never_given",
            f"{_REQUESTS}::test_names_that_are_not_for_people",
            f"{_REQUESTS}::test_nobody_is_never_given",
        ),
        (f"{_HELPER}::test_an_account_is_made_and_found_again",),
    ),
    Attack(
        "`slurmhub-account` is called by others, or with a hostile environment or request",
        "one line of sudoers, and nothing of the caller counts",
        (
            f"{_HELPER}::test_only_the_hub_may_ask",
            f"{_HELPER}::test_sudo_passes_no_arguments_and_runs_nothing_else",
            f"{_HELPER}::test_environment_and_directory_of_the_caller_count_for_nothing",
            f"{_HELPER}::test_files_signals_and_masks_of_the_caller_count_for_nothing",
            f"{_REQUESTS}::test_requests_that_are_none",
            f"{_REQUESTS}::test_names_that_are_none",
            f"{_REQUESTS}::test_links_in_homes_and_skeletons_lead_nowhere",
        ),
        (f"{_HELPER}::test_an_account_is_made_and_found_again",),
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What came of an attack in one run: how many attempts held and fell, and what else worked."""

    attack: Attack
    held: int
    fell: int
    works: int
    broken: int

    @property
    def line(self) -> str:
        """Its lines of the table that ends a run."""
        verdict = "HELD" if not self.fell + self.broken else "FELL" if self.fell else "BROKEN"
        tried = f"{verdict:6} {self.held + self.fell:3} tried  {self.attack.tried}"
        return f"{tried}\n{'':18}{self.attack.held}"


def outcomes(
    passed: Iterable[str], failed: Iterable[str], attacks: Sequence[Attack] = ATTACKS
) -> list[Outcome]:
    """What tests by these ids say of each of these attacks that was tried at all."""
    good = Counter(each.partition("[")[0] for each in passed)
    bad = Counter(each.partition("[")[0] for each in failed)
    found = []
    for attack in attacks:
        held, fell = _sum(good, attack.tests), _sum(bad, attack.tests)
        if held + fell:
            found.append(
                Outcome(attack, held, fell, _sum(good, attack.works), _sum(bad, attack.works))
            )
    return found


def _sum(counted: Counter[str], tests: Sequence[str]) -> int:
    return sum(counted[each] for each in tests)
