"""The functions of the keys by which duplicates are found: one spelling for the many a name is written in.

Generated columns demand immutable functions, and a restored dump calls them without a search path: so they use
PostgreSQL's own functions alone, or each other by a body that is parsed when it is made.
"""

from typing import ClassVar

from django.db import migrations

ONE_SPELLING = r"""
CREATE FUNCTION crm_one_spelling(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    -- Accents come off, and with them й becomes и and ё becomes е.
    s text := lower(regexp_replace(normalize(written, NFKD), '[\u0300-\u036f]', '', 'g'));
BEGIN
    s := regexp_replace(s, '[''’ʼ`ьъ]', '', 'g');
    s := btrim(regexp_replace(s, '[^[:alnum:]]+', ' ', 'g'));
    IF s ~ '[^ -~]' THEN
        s := translate(s, 'абвгдезиклмнопрстуфхыэіґєłøđı', 'abvgdeziklmnoprstufhieigelodi');
        s := replace(replace(replace(replace(s, 'ж', 'zh'), 'ц', 'ts'), 'ч', 'ch'), 'ш', 'sh');
        s := replace(replace(replace(s, 'щ', 'sh'), 'ю', 'iu'), 'я', 'ia');
        s := replace(replace(replace(s, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe');
    END IF;
    -- The ways in which Latin letters write one sound: Shcherbakov and Scherbakov, Chekhov, Philipp, Victor, Alexey.
    s := regexp_replace(s, 'shch|schtsch|sch|shh', 'sh', 'g');
    s := regexp_replace(s, 'tsch|tch', 'ch', 'g');
    s := replace(replace(replace(replace(s, 'kh', 'h'), 'ph', 'f'), 'ck', 'k'), 'tz', 'ts');
    s := replace(regexp_replace(s, 'c(?!h)', 'k', 'g'), 'x', 'ks');
    s := translate(s, 'jyw', 'iiv');
    -- Ivanoff is Ivanov; doubled letters are one.
    s := regexp_replace(s, 'f+\M', 'v', 'g');
    s := regexp_replace(s, '([[:alpha:]])\1+', '\1', 'g');
    -- Soft vowels: Fyodor and Fedor, Solovyev and Solovyov, Lyubov and Lubov; umlauts written out: Mueller.
    s := replace(replace(replace(s, 'ie', 'e'), 'io', 'e'), 'iu', 'u');
    s := replace(replace(replace(s, 'ae', 'a'), 'oe', 'o'), 'ue', 'u');
    -- Alexander and Aleksandr, Peter and Petr. It is cut where an index would refuse it: one sign can become eighteen.
    RETURN left(regexp_replace(s, '([bdgkpt])er\M', '\1r', 'g'), 100);
END
$$
"""

PERSON_KEY = """
CREATE FUNCTION crm_person_key(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    -- A patronymic or an initial tells nothing where two other words do; the order of the words is nobody's rule.
    WITH words AS (
        SELECT word, length(word) > 1 AND word !~ '(ovich|evich|ovna|evna|ichna)$' AS is_telling
        FROM string_to_table(crm_one_spelling(written), ' ') word
    ), counted AS (
        SELECT count(*) FILTER (WHERE is_telling) > 1 AS has_enough FROM words
    )
    SELECT coalesce(string_agg(word, ' ' ORDER BY word COLLATE "C"), '')
    FROM words, counted WHERE is_telling OR NOT has_enough;
END
"""

LEGAL_FORMS = (
    "ооо оао зао пао нао ао ип тов тоо ooo oao zao pao ao ip too tov llc llp ltd limited inc incorporated corp "
    "corporation co company plc pty gmbh ag kg ug se sa sas sarl srl spa bv nv oy oyj ab as aps"
)

COMPANY_KEY = """
CREATE FUNCTION crm_company_key(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    -- Without its legal form, unless nothing else is said.
    WITH words AS (
        SELECT word, place, word = ANY (string_to_array('@legal forms@', ' ')) AS is_legal_form
        FROM string_to_table(regexp_replace(lower(written), '[^[:alnum:]]+', ' ', 'g'), ' ')
        WITH ORDINALITY AS word (word, place)
    )
    SELECT crm_one_spelling(
        coalesce(string_agg(word, ' ' ORDER BY place) FILTER (WHERE NOT is_legal_form AND word <> ''), written)
    )
    FROM words;
END
""".replace("@legal forms@", LEGAL_FORMS)

PHONE_KEY = r"""
CREATE FUNCTION crm_phone_key(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN right(
    regexp_replace(
        -- Without an extension: "650 253 0000 ext. 12", "123-45-67 доб. 8", ";ext=5", "x7", ", 123".
        regexp_replace(
            lower(normalize(written, NFKC)), '([0-9])[^0-9[:alpha:],;#]{0,4}(,|;|#|доб|вн|ext|x|int|anexo).*$', '\1'
        ),
        '[^0-9]', '', 'g'
    ),
    7
)
"""

DOMAIN_KEY = r"""
CREATE FUNCTION crm_domain_key(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(lower(btrim(written)), '^([a-z]+://)?(www\.)?([^/:?#]*).*$', '\3')
"""

FUNCTIONS = {
    "crm_one_spelling": ONE_SPELLING,
    "crm_person_key": PERSON_KEY,
    "crm_company_key": COMPANY_KEY,
    "crm_phone_key": PHONE_KEY,
    "crm_domain_key": DOMAIN_KEY,
}


class Migration(migrations.Migration):
    """The functions alone; the columns come next."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("crm", "0007_import_wizard")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL([(made, None)], f"DROP FUNCTION {name}") for name, made in FUNCTIONS.items()
    ]
