"""What a mapping may say, and how columns are recognised without one."""

import pytest

from crm.rules.records.errors import MappingRefused
from crm.rules.records.mapping import Mapping, parse_mapping, read_mapping

KNOWN = ("external_id", "name", "stage", "outcome", "created_at")


def test_our_own_names_are_recognised_in_any_case():
    assert Mapping().match(("Created At", "NAME", "other", "External-ID"), KNOWN) == {
        "created_at": ((0,),),
        "name": ((1,),),
        "external_id": ((3,),),
    }


def test_two_of_ours_may_come_from_one_of_theirs():
    mapping = parse_mapping({"columns": {"stage": "deal_stage", "outcome": "Deal Stage", "name": "product"}})
    assert mapping.match(("deal_stage", "product", "name"), KNOWN) == {
        "stage": ((0,),),
        "outcome": ((0,),),
        "name": ((1,),),
    }


def test_words_are_translated_in_any_case_with_a_star_for_the_rest():
    mapping = parse_mapping(
        {"values": {"outcome": {"Won": "won", "*": "open"}, "stage": {"Engaging": "qualification"}}}
    )
    assert [mapping.translate("outcome", text) for text in ("WON", "Engaging", "")] == ["won", "open", "open"]
    assert [mapping.translate("stage", text) for text in ("engaging", "Close")] == ["qualification", "Close"]
    assert mapping.translate("name", "Won") == "Won"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"colums": {}}, "colums"),
        ({"date_format": "ymd"}, "date_format"),
        ({"decimal_mark": "'"}, "decimal_mark"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"timezone": "../etc"}, "timezone"),
        ({"currency": "dollars"}, "currency"),
        ({"columns": []}, "columns"),
        ({"columns": {"name": 3}}, "name"),
        ({"values": {"stage": "won"}}, "stage"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(document, message):
    with pytest.raises(MappingRefused, match=message):
        parse_mapping(document)


def test_columns_that_do_not_exist_are_refused_with_those_that_do():
    with pytest.raises(MappingRefused, match=r"acount.*product"):
        parse_mapping({"columns": {"name": "acount"}}).match(("product",), KNOWN)
    with pytest.raises(MappingRefused, match=r"title.*external_id"):
        parse_mapping({"columns": {"title": "product"}}).match(("product",), KNOWN)


def test_a_file_that_is_no_toml_is_refused_with_the_place(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text("[columns\nname = 1")
    with pytest.raises(MappingRefused, match="line 1"):
        read_mapping(path)
    with pytest.raises(MappingRefused, match="cannot be opened"):
        read_mapping(tmp_path / "nothing.toml")
