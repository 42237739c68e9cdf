"""The words of the pages that the front itself shows, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """A heading and what it means for the person who reads it."""

    title: str
    words: str


@dataclass(frozen=True)
class Page:
    """One page: the same in English and French.

    `from_sp` says that the service provider fills it in, so that it can name the error.
    `back` says that the page leads back to the hub.
    """

    en: Said
    fr: Said
    from_sp: bool = True
    back: bool = True
    contact: bool = True


SP_PAGES = {
    "sessionError": Page(
        Said(
            "Sign-in did not work",
            "What your institution answered could not be used. This happens when a sign-in page"
            " was open for a long time, was kept as a bookmark, or was reached with the browser's"
            " Back button. Begin again. If it happens again, write to us with the details below.",
        ),
        Said(
            "La connexion n'a pas fonctionné",
            "La réponse de votre établissement n'a pas pu être utilisée. Cela arrive quand une page"
            " de connexion est restée longtemps ouverte, vient d'un signet, ou a été atteinte avec"
            " le bouton Précédent du navigateur. Recommencez. Si le problème persiste,"
            " écrivez-nous en joignant les détails ci-dessous.",
        ),
    ),
    "accessError": Page(
        Said(
            "You may not open this page",
            "Your institution knows you, but this page is not open to you.",
        ),
        Said(
            "Cette page ne vous est pas ouverte",
            "Votre établissement vous connaît, mais cette page ne vous est pas ouverte.",
        ),
    ),
    "metadataError": Page(
        Said(
            "This institution is not known here",
            "Nothing is known here of the institution you came from. It may not take part yet. Go"
            " back and choose another one if you have the choice, or write to us.",
        ),
        Said(
            "Cet établissement n'est pas connu ici",
            "L'établissement d'où vous venez n'est pas connu ici. Il ne participe peut-être pas"
            " encore. Revenez en arrière et choisissez-en un autre si vous le pouvez, ou"
            " écrivez-nous.",
        ),
    ),
    "sslError": Page(
        Said(
            "This page needs a secure connection",
            "Open it again with an address that begins with https://.",
        ),
        Said(
            "Cette page exige une connexion sécurisée",
            "Ouvrez-la de nouveau avec une adresse qui commence par https://.",
        ),
    ),
    "localLogout": Page(
        Said(
            "You are signed out here",
            "You may still be signed in at your institution and at other services. On a shared"
            " computer, close the browser.",
        ),
        Said(
            "Vous êtes déconnecté d'ici",
            "Vous êtes peut-être encore connecté auprès de votre établissement et d'autres"
            " services. Sur un ordinateur partagé, fermez le navigateur.",
        ),
        contact=False,
    ),
    "globalLogout": Page(
        Said("You are signed out", "Here and at your institution. You may close the browser."),
        Said(
            "Vous êtes déconnecté",
            "Ici et auprès de votre établissement. Vous pouvez fermer le navigateur.",
        ),
        contact=False,
    ),
    "partialLogout": Page(
        Said(
            "You are signed out here, but not everywhere",
            "Your institution could not end every session. Close the browser to end the others.",
        ),
        Said(
            "Vous êtes déconnecté d'ici, mais pas de partout",
            "Votre établissement n'a pas pu fermer toutes les sessions. Fermez le navigateur pour"
            " terminer les autres.",
        ),
        contact=False,
    ),
}

FRONT_PAGES = {
    "refused": Page(
        Said(
            "This request was refused",
            "Something in it is not for a browser to say. If you use a program or an extension"
            " that adds to what your browser sends, turn it off and try again.",
        ),
        Said(
            "Cette requête a été refusée",
            "Elle contient un élément qu'un navigateur n'a pas à envoyer. Si vous utilisez un"
            " programme ou une extension qui ajoute quelque chose aux requêtes, désactivez-le et"
            " réessayez.",
        ),
        from_sp=False,
    ),
    "not-found": Page(
        Said("There is no such page", "The address may be mistyped or out of date."),
        Said("Cette page n'existe pas", "L'adresse est peut-être erronée ou périmée."),
        from_sp=False,
    ),
    "unavailable": Page(
        Said(
            "The service does not answer just now",
            "It may be starting again. Servers that run go on running, and nothing in them is"
            " lost. Try again in a minute.",
        ),
        Said(
            "Le service ne répond pas en ce moment",
            "Il est peut-être en train de redémarrer. Les serveurs en marche continuent, et rien"
            " n'y est perdu. Réessayez dans une minute.",
        ),
        from_sp=False,
    ),
}
