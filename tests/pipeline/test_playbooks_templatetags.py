"""Playbooks as an admin types them."""

from pipeline.templatetags.playbooks import playbook


def test_numbered_lines_are_a_list_and_words_stay_words() -> None:
    text = "Walk through the price.\n\n1. Open with <b>it</b>\n2) Three options\nThen wait."

    assert playbook(text) == (
        "<p>Walk through the price.</p><ol><li>Open with &lt;b&gt;it&lt;/b&gt;</li><li>Three options</li></ol>"
        "<p>Then wait.</p>"
    )
    assert playbook("") == ""
