"""Clicks as the points layer hands them to a session."""

from sam2flow_core.prompts import Prompt


def click(session, frame, y, x, label=None):
    """Add a click on the active vessel; where there is none yet, a vessel is made."""
    state = session.state
    vessel = session.active if state.vessel(session.active) else state.next_id()
    prompt = Prompt(vessel, frame, y, x, session.sign if label is None else label)
    session.set_clicks((*state.clicks, prompt))
