"""The shape of a catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """All texts of the page; {sender}, {category}, {channel} and {address} stand for names."""

    title: str

    # What was asked for with the link.
    leave_heading: str
    leave_category: str
    leave_channel: str
    leave_address: str
    leave_button: str

    # What became of it.
    left_heading: str
    left_category: str
    left_channel: str
    left_address: str
    left_everything: str
    return_button: str
    returned_heading: str
    returned_category: str
    returned_channel: str
    returned_address: str
    saved_heading: str
    saved_text: str

    # What cannot be done.
    essential_heading: str
    essential_text: str
    stopped_heading: str
    stopped_text: str
    gone_heading: str
    gone_text: str
    suppressed: str

    # The form.
    choose_heading: str
    choose_hint: str
    channels_legend: str
    channels_hint: str
    save_button: str
    always_heading: str
    always_hint: str
    everything_heading: str
    everything_text: str
    everything_button: str

    channels: Mapping[str, str]
    # Names for the categories that every organization has.
    built_in: Mapping[str, str]
