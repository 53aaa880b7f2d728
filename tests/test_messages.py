"""Sentences of the core: English strings everywhere, which a face may say in another language."""

import pickle

import numpy as np
import pytest

from sam2flow_core.errors import PromptError, StackError
from sam2flow_core.messages import Message

GERMAN = {"{name}: only {share:.0%} {what}": "{name}: nur {share:.0%} {what}", "of the frames": "der Bilder"}


def german(text):
    return GERMAN.get(text, text)


def said():
    return Message(
        "{name}: only {share:.0%} {what}", name="a.tif", share=np.float32(0.25), what=Message("of the frames")
    )


def test_it_is_the_string_that_it_says_and_goes_to_another_process_as_it_is():
    for message in (said(), pickle.loads(pickle.dumps(said()))):
        assert message == "a.tif: only 25% of the frames"
        assert message.in_words(german) == "a.tif: nur 25% der Bilder"


def test_it_is_stored_and_read_back():
    assert Message.from_json(said().to_json()).in_words(german) == "a.tif: nur 25% der Bilder"
    assert Message.from_json("an earlier version's reason") == "an earlier version's reason"


@pytest.mark.parametrize(
    "stored",
    [
        {"said": "plain", "template": "{x:>99999999999}", "values": {"x": 1}},  # no template of ours is never filled in
        {"said": "plain", "template": "{name}: only {share:.0%} {what}", "values": {"share": "no number"}},
        {"said": "plain", "template": "{name}: only {share:.0%} {what}", "values": []},
        {"said": "plain", "template": 3},
    ],
)
def test_what_a_file_of_others_holds_is_said_as_it_stands(stored):
    message = Message.from_json(stored)
    assert (message.in_words(german) if isinstance(message, Message) else message) == "plain"


def test_an_error_with_values_is_a_message_and_one_without_may_hold_braces():
    error = pickle.loads(pickle.dumps(PromptError("{name}: only {share:.0%} {what}", name="b", share=1, what="rows")))
    assert str(error) == "b: only 100% rows" and error.message.in_words(german) == "b: nur 100% rows"
    assert str(StackError("a {plain} line")) == StackError("a {plain} line").message == "a {plain} line"
