"""Address books: Google and Outlook contacts, LinkedIn connections, and vCards as `vcards` lays them out."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_NUMBERS = range(1, 6)

VOCABULARIES = (
    Vocabulary(
        "Google",
        "contacts",
        {
            "name": ("name",),
            "first_name": ("first name", "given name", "имя"),
            "middle_name": ("middle name", "additional name", "отчество"),
            "last_name": ("last name", "family name", "фамилия"),
            "company": ("organization name", "organization 1 - name"),
            "position": ("organization title", "organization 1 - title"),
            "email": tuple(f"e-mail {number} - value" for number in _NUMBERS),
            "phone": tuple(f"phone {number} - value" for number in _NUMBERS),
        },
        telling=(
            "phonetic first name", "phonetic last name", "file as", "labels", "nickname", "photo", "birthday", "notes",
            "e-mail 1 - label", "e-mail 1 - type", "phone 1 - label", "phone 1 - type", "yomi name", "group membership",
            "given name yomi", "organization department", "website 1 - value", "name prefix", "name suffix",
        ),
    ),
    Vocabulary(
        "Outlook",
        "contacts",
        {
            "name": ("name", "имя и фамилия"),
            "first_name": ("first name", "имя"),
            "middle_name": ("middle name", "отчество"),
            "last_name": ("last name", "фамилия"),
            "company": ("company", "организация"),
            "position": ("job title", "должность"),
            "email": (
                "e-mail address", "e-mail 2 address", "e-mail 3 address", "адрес эл. почты", "адрес 2 эл. почты",
                "адрес 3 эл. почты",
            ),
            "phone": (
                "mobile phone", "business phone", "business phone 2", "home phone", "home phone 2", "other phone",
                "primary phone", "телефон переносной", "рабочий телефон", "домашний телефон",
            ),
        },
        telling=(
            "action", "title", "pager", "home fax", "home address", "business fax", "business address", "other fax",
            "home street", "home city", "home state", "home postal code", "home country/region", "birthday", "notes",
            "business street", "web page", "обращение", "пейджер",
        ),
    ),
    Vocabulary(
        "LinkedIn",
        "contacts",
        {
            "first_name": ("first name", "имя"),
            "last_name": ("last name", "фамилия"),
            "external_id": ("url",),
            "email": ("email address", "адрес эл. почты"),
            "company": ("company", "компания"),
            "position": ("position", "должность"),
        },
        telling=("connected on", "url", "дата установления контакта"),
    ),
    Vocabulary(
        "vCard",
        "contacts",
        {
            "name": ("fn",),
            "email": ("email 1", "email 2", "email 3"),
            "phone": ("tel 1", "tel 2", "tel 3"),
            "company": ("org",),
            "position": ("title",),
            "external_id": ("uid",),
        },
        telling=("note",),
    ),
)  # fmt: skip
