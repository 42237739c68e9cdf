"""Every attack on courses that is tried, what holds against it, and the tests that try it.

docs/security.md shows this table; a run that tried some of them ends with what came of it.
"""

from __future__ import annotations

from tests.rig.attacks import Attack

_NOBODY = "tests/courses/test_nobody_else.py"
_API = "tests/courses/test_api.py"
_PAGES = "tests/courses/test_pages.py"
_SERVICE = "tests/courses/test_service.py"
_SERVERS = "tests/slurm/test_course_servers.py"
_CLASS = "tests/slurm/test_courses.py"
_FOLDERS = "tests/attack/test_course_folders.py"
_VALUES = "tests/unit/courses/test_hostile_values.py"
_MEMBERS = "tests/unit/courses/test_members.py"
_CODES = "tests/unit/courses/roster/test_roster_codes.py"
_READING = "tests/unit/courses/roster/test_roster_reading.py"
_WHOLE = "tests/slurm/test_course_class.py"
_HELPING = "tests/unit/courses/test_helping.py"
_HELP = "tests/slurm/test_course_help.py"
_BROWSER = "tests/browser/test_courses.py"

ATTACKS_ON_COURSES = (
    Attack(
        "a student acts as staff, by any page or operation of the REST API",
        "rights are asked of one function, in the transaction that would change something",
        (
            f"{_NOBODY}::test_who_may_not_does_nothing_and_learns_nothing",
            f"{_PAGES}::test_a_student_opens_no_page_of_staff",
            f"{_PAGES}::test_assistants_see_the_class_and_change_nothing",
        ),
        (
            f"{_NOBODY}::test_who_may_is_answered",
            f"{_PAGES}::test_roles_are_given_and_people_taken_out",
        ),
    ),
    Attack(
        "staff of one course look at another, or change it",
        "a course of others is as one that is not there",
        (
            f"{_API}::test_staff_of_one_course_see_nothing_of_another",
            f"{_PAGES}::test_a_course_of_others_is_as_one_that_is_not_there",
            f"{_PAGES}::test_nobody_stops_a_server_that_is_not_of_their_course",
        ),
        (f"{_API}::test_a_course_from_its_making_to_its_end",),
    ),
    Attack(
        "a join code is guessed, misread, used too late or too often, or taken from the database",
        "53 random bits, wrong ones counted for one and for all, an end and a limit; a keyed hash",
        (
            f"{_CODES}::test_a_code_cannot_be_guessed_or_misread",
            f"{_CODES}::test_the_database_has_nothing_of_a_code",
            f"{_MEMBERS}::test_wrong_codes_are_counted_for_one_and_for_all",
            f"{_MEMBERS}::test_a_code_that_is_over_lets_nobody_in",
            f"{_MEMBERS}::test_a_code_neither_overfills_nor_brings_back_who_was_taken_out",
        ),
        (
            f"{_MEMBERS}::test_a_code_lets_in_once_each_and_only_so_many",
            f"{_PAGES}::test_a_student_joins_with_a_code",
        ),
    ),
    Attack(
        "a registrar's file has formulas, scripts, bombs or other bytes in it",
        "names stay text on every page; sizes and numbers of lines are limited",
        (
            f"{_BROWSER}::test_what_a_registrar_writes_is_text_and_nothing_else",
            f"{_READING}::test_what_is_no_roster",
            f"{_READING}::test_a_hostile_file_costs_little",
        ),
        (
            f"{_READING}::test_three_hundred_with_mistakes",
            f"{_API}::test_a_registrars_file",
        ),
    ),
    Attack(
        "a repository, branch or folder of materials leads to other files, programs or hosts",
        "https only, without passwords and line breaks; below the home, never in a hidden folder",
        (
            f"{_VALUES}::test_repositories_that_are_none",
            f"{_VALUES}::test_folders_that_are_somebody_elses_or_a_programs",
            f"{_VALUES}::test_what_is_opened_is_inside",
            f"{_VALUES}::test_branches_that_are_none",
            f"{_VALUES}::test_whatever_is_taken_as_a_folder_is_one_below_the_home",
        ),
        (f"{_VALUES}::test_repositories_that_are_taken", f"{_VALUES}::test_folders_for_materials"),
    ),
    Attack(
        "a course's key or a person's name leads out of the courses' folders",
        "the program of root's makes the paths itself, from names that it checks, by descriptors",
        (
            f"{_VALUES}::test_keys_that_are_none",
            f"{_FOLDERS}::test_requests_that_are_none",
            f"{_FOLDERS}::test_links_lead_nowhere",
            f"{_FOLDERS}::test_folders_that_turn_into_links_all_the_time",
        ),
    ),
    Attack(
        "fields that are not for people are sent along: state, owner, account, QOS",
        "models that take nothing else; what a server asks Slurm for follows from the course",
        (
            f"{_API}::test_nothing_is_taken_that_the_api_does_not_have",
            f"{_VALUES}::test_nothing_else_can_be_said",
            f"{_SERVERS}::test_whatever_is_sent_the_server_is_the_courses",
        ),
    ),
    Attack(
        "a page of another site sends a form, or a cookie alone is used for REST",
        "a token of the form, checked on every write; REST wants a token or that of the form",
        (
            f"{_PAGES}::test_nothing_is_done_without_the_token_of_the_form",
            f"{_SERVICE}::test_a_form_from_another_site_does_nothing",
            f"{_API}::test_a_cookie_alone_changes_nothing",
        ),
    ),
    Attack(
        "a token that is for something else, or that of the service itself",
        "the hub says what a token is for, at every request",
        (
            f"{_API}::test_tokens_that_are_not_for_courses",
            f"{_SERVICE}::test_who_signs_out_at_the_hub_is_out_here",
        ),
    ),
    Attack(
        "somebody starts a server of a course that they are not in, or one more than there are",
        "the hub asks for the roster, and Slurm has accounts and limits of its own",
        (
            f"{_SERVERS}::test_who_is_not_in_a_course_has_no_server_of_it",
            f"{_SERVERS}::test_the_third_of_two_is_refused_by_slurm_and_told_why",
            f"{_CLASS}::test_thirty_servers_start_in_their_class_while_others_fill_the_cluster",
            f"{_WHOLE}::test_thirty_press_start_and_nobody_waits",
            f"{_WHOLE}::test_who_is_dropped_keeps_what_runs_and_starts_nothing_more",
        ),
    ),
    Attack(
        "staff enter a student's server without being let in, or stay",
        "the student's own yes, with an end, that the hub gives and takes",
        (
            f"{_HELPING}::test_nobody_else_allows_it",
            f"{_HELPING}::test_a_question_is_not_open_for_ever",
            f"{_HELPING}::test_it_ends_with_what_it_rests_on",
            f"{_PAGES}::test_a_student_is_asked_before_anybody_is_let_in",
            f"{_HELP}::test_a_helper_is_let_in_by_the_student_and_out_again",
            f"{_HELP}::test_the_time_runs_out_by_itself",
        ),
        (f"{_HELPING}::test_asked_allowed_and_over",),
    ),
)
