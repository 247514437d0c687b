"""The wording of what the invented company's people keep at hand: segments, templates, and a public form."""

from __future__ import annotations

from typing import Any


def _all(*conditions: tuple[str, ...]) -> dict[str, Any]:
    of = [
        {"field": field, "op": operator, **({"value": value} if value else {})}
        for field, operator, *value in conditions
    ]
    return {"join": "all", "of": of}


# Name, whom it finds, with whom it is shared, conditions.
UNANSWERED = ("Nobody answered yet", "lead", "everyone", _all(("status", "in", "new"), ("answered", "empty")))
KEEN = (
    "Keen, but nothing planned",
    "lead",
    "team",
    _all(("status", "in", "working", "qualified", "nurturing"), ("keen", "ever"), ("planned", "no")),
)
RUSSIAN_MAIL = (
    "Пишут по-русски",
    "lead",
    "everyone",
    {
        "join": "any",
        "of": [
            {"field": "message", "op": "contains", "value": ["нужн"]},
            {"field": "message", "op": "contains", "value": ["пришлите"]},
            {"field": "email", "op": "contains", "value": [".ru"]},
        ],
    },
)
MY_HOT = ("My warm and hot ones", "lead", "nobody", _all(("owner", "in", "me"), ("readiness", "in", "warm", "hot")))
QUIET_CONTACTS = (
    "Not heard from for three months",
    "contact",
    "nobody",
    _all(("owner", "in", "me"), ("touches", "without", "90")),
)

# Name, subject and text in both languages.
FIRST_ANSWER = (
    "First answer",
    "Your question about {{ company.name|our machines }}",
    "Ваш вопрос: {{ company.name|наше оборудование }}",
    "<p>Hello {{ person.first_name }},</p><p>thank you for writing. May I ring you tomorrow morning? Twenty minutes are enough to see which line fits.</p><p>{{ sender.name }}</p>",
    "<p>Здравствуйте, {{ person.first_name }}!</p><p>Спасибо за письмо. Можно позвонить вам завтра утром? Двадцати минут хватит, чтобы понять, какая линия подойдёт.</p><p>{{ sender.name }}</p>",
)
AFTER_A_MEETING = (
    "After a meeting",
    "What we agreed today",
    "О чём мы договорились",
    "<p>Hello {{ person.first_name }},</p><p>thank you for your time. In short:</p><ul><li>we send the drawings this week;</li><li>you tell us the steam and power you have;</li><li>we speak again on Thursday.</li></ul><p>{{ sender.name }}</p>",
    "<p>{{ person.first_name }}, спасибо за встречу!</p><p>Коротко:</p><ul><li>мы присылаем чертежи на этой неделе;</li><li>вы сообщаете, сколько есть пара и мощности;</li><li>созваниваемся в четверг.</li></ul><p>{{ sender.name }}</p>",
)
REMINDER = (
    "Did our offer arrive?",
    "Our offer for {{ company.name|you }}",
    "Наше предложение для {{ company.name|вас }}",
    "<p>Hello {{ person.first_name }},</p><p>did our offer arrive, and who else reads it? If the price is what you stumble over, say so: there is a smaller version.</p><p>{{ sender.first_name }}</p>",
    "<p>Здравствуйте, {{ person.first_name }}!</p><p>Дошло ли наше предложение и кто ещё его смотрит? Если смущает цена, скажите: есть вариант поменьше.</p><p>{{ sender.first_name }}</p>",
)
LAST_WORD = (
    "Shall we close this?",
    "Shall we close this, {{ person.first_name }}?",
    "{{ person.first_name }}, закрываем вопрос?",
    "<p>Hello {{ person.first_name }},</p><p>you asked us about a line and I have not heard from you since. If it is for next year, one word is enough and I write again in January.</p><p>{{ sender.name }}</p>",
    "<p>Здравствуйте, {{ person.first_name }}!</p><p>Вы спрашивали о линии, и с тех пор от вас нет вестей. Если это на следующий год, ответьте одним словом — напишу в январе.</p><p>{{ sender.name }}</p>",
)

SEQUENCE = "After the first question"
CALL_AGAIN = "Call: which line, how many shifts?"

FORM = {
    "name": "Ask for a quote",
    "name_ru": "Запрос предложения",
    "intro": "Tell us what you make and how much of it an hour. An engineer answers within an hour of our working time.",
    "intro_ru": "Расскажите, что и сколько в час вы производите. Инженер ответит в течение рабочего часа.",
    "consent": "I agree that my request is stored so that it can be answered.",
    "consent_ru": "Согласен, чтобы мой запрос сохранили для ответа.",
    "thanks": "Thank you. Somebody will be in touch shortly.",
    "thanks_ru": "Спасибо! Скоро мы с вами свяжемся.",
}
FIELDS: tuple[dict[str, Any], ...] = (
    {"key": "name", "label": "Name", "label_ru": "Имя", "maps_to": "name", "is_required": True},
    {"key": "email", "label": "E-mail", "label_ru": "E-mail", "kind": "email", "maps_to": "email", "is_required": True},
    {"key": "phone", "label": "Phone", "label_ru": "Телефон", "kind": "phone", "maps_to": "phone"},
    {"key": "company", "label": "Company", "label_ru": "Компания", "maps_to": "company_name"},
    {
        "key": "message",
        "label": "What do you need?",
        "label_ru": "Что вам нужно?",
        "kind": "long",
        "maps_to": "message",
    },
)
JUNK = (
    {
        "name": "Best SEO Team",
        "email": "rank@seo.example",
        "message": "First page of every search engine within a week, guaranteed.",
    },
    {"name": "qwerty", "email": "qwerty@mail.example", "message": "asdf asdf"},
    {
        "name": "Ruta Kalniņa",
        "email": "ruta@brewery.example",
        "message": "We need a tunnel washer for 9,000 bottles an hour.",
    },
    {
        "name": "Loans Now",
        "email": "loans@money.example",
        "message": "Cheap credit for your company, no questions asked.",
    },
    {"name": "Best SEO Team", "email": "rank2@seo.example", "message": "Did you read our last message?"},
)
REASONS = ("trap", "hurry", "address")
