"""What a column's heading means, in English and French, as registrars and their systems write it.

Among them the exports of Banner, Workday, PeopleSoft, Canvas, Moodle, Brightspace and Blackboard.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum


class Field(Enum):
    """What a column may have of a student."""

    EPPN = "eppn"
    LOGIN = "login"
    MAIL = "mail"
    NUMBER = "number"
    NAME = "name"
    GIVEN = "given name"
    FAMILY = "family name"
    """Also French "Nom", which is the whole name where there is no "Prénom"."""
    STATUS = "status"
    ROLE = "role"

    @property
    def identifies(self) -> bool:
        """Whether it tells one person from another."""
        return self in (Field.EPPN, Field.LOGIN, Field.MAIL, Field.NUMBER)


def _listed(text: str) -> tuple[str, ...]:
    """Words and phrases with semicolons between them."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(";"))


# The earlier a heading stands, the better it is: of two columns that mean the same, it is taken.
_MEANINGS: dict[Field, str] = {
    Field.EPPN: """
        eppn; edupersonprincipalname; edu person principal name; principal name;
        user principal name; userprincipalname; upn; nom principal
        """,
    Field.LOGIN: """
        cwl; cwl login; cwl login name; cwl username; netid; net id; utorid; ccid; macid; idul;
        computing id; campus login id; cip; code ms; unikey; login; login id; login name; logon;
        sis login id; username; user name; user id; userid; user login; unix id; unix login;
        account; account name; nom d utilisateur; nom utilisateur; code d utilisateur;
        code utilisateur; code d acces; identifiant d utilisateur; identifiant utilisateur;
        identifiant de connexion; identifiant; compte; nom de compte; compte informatique;
        uid; user
        """,
    Field.MAIL: """
        email; e mail; mail; courriel; email address; e mail address; mail address;
        adresse courriel; adresse de courriel; adresse electronique; courrier electronique;
        adresse e mail; adresse email; adresse mail; adresse de messagerie; couriel; email id;
        mel; primary email; preferred email; email preferred; courriel principal; other email;
        alternate email; secondary email; personal email; autre courriel; courriel personnel
        """,
    Field.NUMBER: """
        student number; student id; student id number; student no; student num; student nbr;
        student identifier; studentid; studentnumber; number student; orgdefinedid;
        org defined id; sis user id; sis id; integration id; banner id; emplid; empl id;
        university id; spriden id; sid; numero d etudiant; numero etudiant; no d etudiant;
        no etudiant; n etudiant; n d etudiant; num etudiant; no de l etudiant; matricule;
        numero de matricule; numero matricule; no matricule; no de matricule; code permanent;
        numero de dossier; no de dossier; no dossier; numero d identification; id etudiant;
        identifiant etudiant; identifiant de l etudiant; ine; da; id number; id no; id; number;
        numero
        """,
    Field.NAME: """
        full name; fullname; student name; name; display name; nom complet; nom et prenom;
        nom prenom; prenom et nom; prenom nom; nom de l etudiant; nom etudiant; nom d affichage;
        last name first name; first name last name; student; etudiant; students; etudiants
        """,
    Field.GIVEN: """
        first name; firstname; given name; given names; givenname; prenom; prenoms; forename;
        forenames; first; first names; legal first name; preferred first name; preferred name;
        prenom usuel; prenom prefere
        """,
    Field.FAMILY: """
        last name; lastname; family name; familyname; surname; last; legal last name;
        nom de famille; nom famille; patronyme; nom usuel; nom d usage; nom legal; nom
        """,
    Field.STATUS: """
        registration status; enrolment status; enrollment status; student status; status;
        statut; statut d inscription; etat de l inscription; etat d inscription;
        statut de l inscription; etat; reg status
        """,
    Field.ROLE: """
        role; roles; course role; user role; role in course; role dans le cours; role du cours
        """,
}
_KNOWN = {
    heading: (meaning, rank)
    for meaning, headings in _MEANINGS.items()
    for rank, heading in enumerate(_listed(headings))
}

# What may stand around a heading without changing what it means.
_AROUND = frozenset(
    _listed("""
    student; students; etudiant; etudiants; etudiante; e; of; the; de; du; d; l; la; le; des;
    official; officiel; officielle; institutional; institutionnel; institutionnelle; university;
    universitaire; universite; campus; college; s; your; votre; his; her; current; actuel;
    actuelle; sis
    """)
)
_NUMBER_SIGNS = re.compile(r"\bn[°º\u00ba]|[#№]")
_IN_BRACKETS = re.compile(r"[(\[][^()\[\]]{0,100}[)\]]")
_LONGEST = 100

# So surely of a student that what stands before or after it does not matter: "Our Student ID".
_SURE = frozenset(
    _listed("""
    email; courriel; cwl; netid; matricule; surname; firstname; lastname; username; prenom;
    eppn; orgdefinedid
    """)
)
# Unless it is somebody else's.
_OF_OTHERS = frozenset(
    _listed("""
    advisor; adviser; instructor; teacher; professor; prof; parent; guardian; emergency;
    supervisor; contact; ta; section; course; class; program; department; conseiller;
    conseillere; enseignant; enseignante; professeur; parents; tuteur; urgence; cours;
    programme; departement; groupe; group; team; equipe
    """)
)

_WORSE = 100

_LEFT = frozenset(
    _listed("""
    dropped; drop; withdrawn; withdrew; withdrawal; cancelled; canceled; deleted; removed;
    deregistered; unregistered; not registered; inactive; wd; dw; dropped web; web dropped;
    abandon; abandonne; abandonnee; annule; annulee; annulation; desinscrit; desinscrite;
    retrait; retire; retiree; inactif; inactive; supprime; supprimee; non inscrit; non inscrite
    """)
)
_WAITS = frozenset(
    _listed("""
    waitlisted; waitlist; wait list; wait listed; waiting; waiting list; on waitlist;
    en attente; liste d attente; sur liste d attente; attente
    """)
)
_STAFF = frozenset(
    _listed("""
    instructor; teacher; lecturer; professor; faculty; ta; teaching assistant; assistant; grader;
    marker; designer; course designer; observer; course builder; coordinator;
    professeur; professeure; enseignant; enseignante; charge de cours; chargee de cours; auxiliaire;
    auxiliaire d enseignement; assistante; correcteur; correctrice; observateur; observatrice;
    concepteur; primary instructor; secondary instructor
    """)
)
_TOTAL = re.compile(
    r"points possible\b|(?:grand |sub)?totals?\b|sous total\b|total general\b|"
    r"(?:number|count|nombre)\b.{0,12}"
    r"\b(?:students?|records?|rows?|registered|etudiants?|inscrits?|lignes?)\b|effectif\b|"
    r"(?:end|fin) (?:of|de|du|d)\b|(?:report|rapport|generated|genere|printed|imprime) "
    r"|count\b|\d+ (?:students?|etudiants?|records?|rows?|inscrits?)\b|student count\b"
)


def plain(text: str) -> str:
    """A heading or a word in small letters of ASCII with single spaces between words."""
    text = _IN_BRACKETS.sub(" ", text[:_LONGEST].casefold())
    text = _NUMBER_SIGNS.sub(" number ", text)
    letters = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


def meaning(heading: str) -> tuple[Field, int] | None:
    """What a heading means and how well it says so (0 is best); None for any other."""
    text = plain(heading)
    words = text.split()
    if text in _KNOWN:
        return _KNOWN[text]
    if _OF_OTHERS.intersection(words):
        return None
    rest = " ".join(word for word in words if word not in _AROUND)
    if rest in _KNOWN:
        field, rank = _KNOWN[rest]
        return field, rank + _WORSE
    for place in range(1, len(words)):
        for part in (words[place:], words[:-place]):
            one = " ".join(part)
            if one in _KNOWN and (one in _SURE or len(part) > 1):
                field, rank = _KNOWN[one]
                return field, rank + 2 * _WORSE
    return None


def has_left(status: str) -> bool:
    """Whether a status says that somebody is not in the course any more."""
    return plain(status) in _LEFT


def waits(status: str) -> bool:
    """Whether a status says that somebody is not in the course yet."""
    return plain(status) in _WAITS


def is_of_staff(role: str) -> bool:
    """Whether a role in a course is none of a student."""
    return plain(role) in _STAFF


def is_total(text: str) -> bool:
    """Whether a line that begins so sums up others, or says what they are."""
    return _TOTAL.match(plain(text)) is not None
