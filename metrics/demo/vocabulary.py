"""The words the invented company is made of, in English and in Russian."""

REPS_NORTH = ("Anna Petrova", "Mark Lindqvist", "Sofia Reyes", "Tom Becker", "Irina Orlova")
REPS_SOUTH = ("Mara Lind", "Aldo Pires", "Ilya Novak", "Dana Weiss")
REPS_EAST = ("Софья Реус", "Артём Рогов", "Ольга Демина", "Тимур Бакиев")

FIRST_LATIN = [
    "Irina",
    "Jonas",
    "Daria",
    "Evgeny",
    "Greta",
    "Tomasz",
    "Leila",
    "Henrik",
    "Marta",
    "Samir",
    "Elena",
    "Paulo",
    "Olga",
    "Pavel",
    "Artem",
    "Nina",
    "Viktor",
    "Hanna",
    "Lukas",
    "Sara",
    "Erik",
    "Maja",
    "Anton",
    "Clara",
    "Hugo",
    "Ines",
    "Karl",
    "Lena",
    "Milan",
    "Petra",
    "Oscar",
    "Vera",
]
LAST_LATIN = [
    "Kim",
    "Weil",
    "Fomin",
    "Lapin",
    "Holm",
    "Wrona",
    "Haddad",
    "Dahl",
    "Kos",
    "Bou",
    "Ruiz",
    "Reis",
    "Demin",
    "Gusev",
    "Rogov",
    "Savin",
    "Berg",
    "Lund",
    "Moser",
    "Novak",
    "Keller",
    "Silva",
    "Costa",
    "Meyer",
    "Olsen",
    "Peeters",
    "Horvat",
    "Kovac",
    "Janssen",
    "Larsen",
    "Ricci",
    "Dubois",
]
PEOPLE_CYRILLIC = tuple(
    f"{first} {last}"
    for first, last in zip(
        [
            "Дарья",
            "Евгений",
            "Ирина",
            "Павел",
            "Ольга",
            "Артём",
            "Нина",
            "Виктор",
            "Семён",
            "Алёна",
            "Пётр",
            "Марина",
            "Глеб",
            "Фёдор",
            "Зоя",
            "Кирилл",
            "Лидия",
            "Роман",
        ],
        [
            "Фомина",
            "Лапин",
            "Ким",
            "Гусев",
            "Демина",
            "Рогов",
            "Савина",
            "Берг",
            "Ершов",
            "Королёва",
            "Щукин",
            "Юдина",
            "Орлов",
            "Белов",
            "Жукова",
            "Чернов",
            "Попова",
            "Ильин",
        ],
        strict=True,
    )
)
LAST_CYRILLIC = [
    "Ткач",
    "Мельник",
    "Кравец",
    "Шульга",
    "Дорош",
    "Бондарь",
    "Гончар",
    "Коваль",
    "Сорока",
    "Шевчук",
    "Лысенко",
    "Мороз",
]

COMPANY_LATIN = [
    "Halden",
    "Arden",
    "Volga",
    "Nordsee",
    "Lumen",
    "Sorano",
    "Kestrel",
    "Marlow",
    "Tern",
    "Novak",
    "Alpen",
    "Corvin",
    "Brekkoria",
    "Riverside",
    "Stannum",
    "Ostrava",
    "Helios",
    "Iskra",
    "Lusitana",
    "Fjord",
    "Atlas",
    "Adria",
    "Cedar",
    "Nordlys",
    "Wrona",
    "Solvik",
    "Ambra",
    "Zephyr",
    "Talia",
    "Bergen",
]
TRADE_LATIN = (
    ("Dairy", "Food"), ("Pharma", "Pharmaceuticals"), ("Waters", "Beverages"), ("Oils", "Food"), ("Glass", "Packaging"),
    ("Springs", "Beverages"), ("Meats", "Food"), ("Fresh", "Food"), ("Brewing", "Beverages"), ("Timber", "Materials"),
    ("Foods", "Food"), ("Bakery", "Food"), ("Cans", "Packaging"), ("Logistics", "Logistics"), ("Plastics", "Packaging"),
    ("Mills", "Food"), ("Seafood", "Food"), ("Packaging", "Packaging"),
)  # fmt: skip
COMPANY_CYRILLIC = [
    "Молочный край",
    "Волжские воды",
    "Северные масла",
    "Хлебозавод",
    "Мясной двор",
    "Сибирский лёд",
    "Фабрика Зерно",
    "Крачка",
    "Уральский мёд",
    "Восток Логистика",
    "Корвин Лес",
    "Гелиос Пластик",
    "Соранские ключи",
    "Тихий берег",
    "Ёлкинский комбинат",
    "Арден Фарма",
]
FORMS_CYRILLIC = ("ООО «{}»", "АО «{}»", "{}", "ПК «{}»")
COUNTRIES_LATIN = ("Germany", "Poland", "Sweden", "Italy", "Portugal", "Latvia", "Netherlands", "Spain")
POSITIONS = ("Head of production", "CFO", "Purchasing", "Plant manager", "CEO", "Chief engineer")
POSITIONS_RU = ("Директор по производству", "Финансовый директор", "Закупки", "Главный инженер", "Генеральный директор")

PRODUCTS = (
    # English, Russian, usual price in the base currency
    ("Bottling line 6,000 bph", "Линия розлива 6000 бут/ч", 126_000),
    ("Pasteuriser P-500", "Пастеризатор П-500", 73_500),
    ("Vacuum packer VP-800", "Вакуумный упаковщик ВП-800", 22_750),
    ("Tray sealer TS-4", "Запайщик лотков ЗЛ-4", 29_800),
    ("Labeller, wrap-around", "Этикетировщик", 34_500),
    ("Checkweigher, 3 lanes", "Линия чеквейеров, 3 ручья", 54_200),
    ("Shrink-wrap tunnel, 12 ppm", "Термоусадочный тоннель", 18_400),
    ("Spare-parts frame contract", "Рамочный договор на ЗИП", 9_600),
    ("Metal detector upgrade", "Металлодетектор", 12_300),
    ("Robot depalletiser", "Робот-депаллетайзер", 88_000),
    ("CIP station, 4 circuits", "Станция CIP, 4 контура", 96_400),
    ("Filling machine F-12", "Дозатор Ф-12", 64_900),
    ("Steam boiler 2 t/h", "Паровой котёл 2 т/ч", 48_700),
    ("Inkjet coders ×9", "Каплеструйные принтеры × 9", 24_300),
    ("Case packer CP-8", "Укладчик в короба УК-8", 36_200),
    ("Air dryer ×3", "Осушитель воздуха × 3", 19_300),
    ("Tunnel washer", "Моечная машина ММ-6", 35_400),
    ("Weighing cell ×16", "Весовая ячейка × 16", 19_300),
)

SOURCES = (
    # slug, English, Russian, weight, how well its leads do, monthly spend in the base currency
    ("website", "Website form", "Форма на сайте", 30, 1.0, 1_800),
    ("fair", "Trade fair", "Выставка", 18, 1.15, 4_200),
    ("referral", "Referral", "Рекомендация", 16, 1.6, 400),
    ("email", "E-mail campaign", "Рассылка", 14, 0.7, 900),
    ("cold-call", "Cold call", "Холодный звонок", 14, 0.55, 0),
    ("partner", "Partner", "Партнёр", 8, 1.25, 1_100),
)
CAMPAIGNS = (
    # slug of the source, name, months ago it began, months it lasts, spend a month in the base currency
    ("fair", "FoodTec", 20, 3, 6_800),
    ("website", "Search: dryers", 14, 6, 1_100),
    ("fair", "Агропродмаш", 9, 3, 5_400),
    ("email", "Spare parts in spring", 7, 3, 450),
    ("website", "Search: filling lines", 5, 6, 1_400),
    ("partner", "Dealers' days", 3, 4, 800),
)
PHONES = (
    # Numbers kept for films and plays, without their last three digits
    "+44 1632 960", "+44 7700 900", "+44 20 7946 0", "+44 28 9649 6", "+44 29 2018 0", "+44 3069 990", "+44 808 157 0",
    "+44 113 496 0", "+44 114 496 0", "+44 115 496 0", "+44 116 496 0", "+44 117 496 0", "+44 118 496 0",
    "+44 121 496 0", "+44 131 496 0", "+44 141 496 0", "+44 151 496 0", "+44 161 496 0", "+44 191 498 0",
)  # fmt: skip
DISQUALIFY_REASONS = (
    ("No budget", "Нет бюджета"),
    ("Not our region", "Не наш регион"),
    ("Student or job seeker", "Студент или соискатель"),
    ("Cannot be reached", "Не удалось связаться"),
)
CHURN_REASONS = ("moved to a competitor", "closed the plant", "price", "service too slow")

CALLS = ("Asked about delivery dates", "Walked through the price", "Agreed on the next visit", "Left a message")
CALLS_RU = ("Спросили о сроках поставки", "Прошли по цене", "Договорились о визите", "Оставил сообщение")
MAILS = ("Sent the drawings", "Re: price and terms", "Sample plan attached", "Answer to your questions")
MAILS_RU = ("Отправлены чертежи", "Re: цена и условия", "План проб во вложении", "Ответы на вопросы")
NOTES = (
    "Wants the exchanger in 316L. A competitor quotes about 5 % less; their delivery is 22 weeks.",
    "The board meets on the 9th and needs the figures in writing.",
    "Old unit stands 14 hours a week.",
)
NOTES_RU = (
    "Нужен теплообменник из 316L. Конкурент дешевле на 5 %, но срок у них 22 недели.",
    "Совет девятого числа, цифры нужны письменно.",
    "Старая машина простаивает 14 часов в неделю.",
)
STEPS = (
    # kind, English, Russian
    ("call", "Call about the delivery date", "Позвонить о сроке поставки"),
    ("email", "Send the corrected proposal", "Отправить исправленное КП"),
    ("meeting", "Show the line in the warehouse", "Показать линию на складе"),
    ("call", "Come back with the spare-parts price", "Вернуться с ценой на ЗИП"),
    ("email", "Send the film about the set-up", "Отправить ролик о наладке"),
    ("task", "Ask engineering for the steam figures", "Запросить расход пара у инженеров"),
)
LEAD_MESSAGES = (
    "We dry 1.2 t of oats an hour and want to double it by October. Please quote a belt dryer.",
    "Need a second filling line next spring, budget about 140,000.",
    "Please send your catalogue and the nearest service point.",
)
LEAD_MESSAGES_RU = (
    "Сушим 1,2 т овса в час, к октябрю хотим вдвое больше. Нужна ленточная сушилка.",
    "Весной нужна вторая линия розлива, бюджет около 14 млн.",
    "Пришлите каталог и адрес ближайшего сервиса.",
)

PLAYBOOKS = {
    "prospecting": (
        "Find out who decides, and what an hour of standstill costs them.\n1. One call, one e-mail, one call\n2. Ask for the plant's numbers",
        "Узнайте, кто решает и во что обходится час простоя.\n1. Звонок, письмо, звонок\n2. Спросите цифры завода",
    ),
    "qualification": (
        "Budget, authority, need, timing: in their own words.\n1. Name the budget first\n2. Ask what happens if nothing changes",
        "Бюджет, полномочия, потребность, сроки: их словами.\n1. Первым назовите бюджет\n2. Спросите, что будет, если ничего не менять",
    ),
    "meeting": (
        "Meet on their floor, not in their meeting room.\n1. Bring the samples\n2. Leave with a date",
        "Встречайтесь в цеху, а не в переговорной.\n1. Возьмите образцы\n2. Уйдите с датой",
    ),
    "proposal": (
        "Walk through the price on a call before you send it. Name the line that stands still today and what an hour of it costs.\n"
        "1. Open with the weekly downtime they named\n2. Three options, the middle one first\n3. Ask who else reads it, and by when",
        "Пройдите по цене голосом, прежде чем отправить КП.\n1. Начните с простоя, который они назвали\n"
        "2. Три варианта, средний первым\n3. Спросите, кто ещё читает и к какому числу",
    ),
    "negotiation": (
        "Trade, never give. Every discount buys a date, a volume or a reference.",
        "Меняйте, а не уступайте: за каждую скидку — срок, объём или отзыв.",
    ),
    "close": ("Signature, date, first payment: in one message.", "Подпись, дата, первый платёж: одним письмом."),
}
CHECKLISTS = {
    # slug: (English, Russian, needed to move on)
    "qualification": (
        ("Budget named", "Бюджет назван", False),
        ("Decision maker known", "Известно, кто решает", False),
    ),
    "meeting": (
        ("Decision maker met", "Встреча с тем, кто решает", False),
        ("Samples tested", "Пробы проведены", False),
    ),
    "proposal": (
        ("Proposal sent", "КП отправлено", True),
        ("Delivery date agreed", "Срок поставки согласован", False),
        ("Utility plan received", "План подключений получен", False),
    ),
    "negotiation": (("Discount approved", "Скидка утверждена", False),),
    "close": (("Contract signed", "Договор подписан", False),),
}
REQUIRED = {
    "proposal": ["amount"],
    "negotiation": ["amount", "expected_close_on"],
    "close": ["company"],
    "fulfilment": ["amount"],
}
ENTRY_FOLLOW_UPS = {
    "proposal": ("call", "Ask whether the proposal was read", "Спросить, прочитали ли КП", 3),
    "fulfilment": ("call", "Ask how the delivery went", "Спросить, как прошла поставка", 14),
}
