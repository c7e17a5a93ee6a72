"""Hooks, deliveries and results: small rules of the nouns."""

from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.model.hook import Destination, Hook, SigningSecret, Step

DONE = StepResult(StepStatus.SUCCEEDED)


def hook_of(*ids):
    return Hook("h", ("**",), tuple(Step(id=one, action="log", settings=None, lane="hook:h") for one in ids))


def test_resume_runs_the_first_step_without_a_result_in_present_order():
    hook = hook_of("a", "b", "c")
    assert hook.step_after({}).id == "a"
    assert hook.step_after({"a": DONE}).id == "b"
    assert hook.step_after({"b": DONE, "c": DONE}).id == "a"
    assert hook.step_after({"a": DONE, "b": DONE, "c": DONE}) is None


def test_results_of_steps_that_are_no_more_do_not_matter():
    assert hook_of("new").step_after({"old": DONE}).id == "new"


def test_succeeded_dead_and_cancelled_are_final():
    assert {status for status in Status if status.final} == {"succeeded", "dead", "cancelled"}


def test_a_step_result_has_status_output_and_error():
    failed = StepResult(StepStatus.FAILED, error="status: 500")
    assert failed.as_dict() == {"status": "failed", "output": None, "error": "status: 500"}
    assert StepResult(StepStatus.SKIPPED).as_dict() == {"status": "skipped", "output": None, "error": None}


def test_secrets_of_a_destination_are_never_printed():
    destination = Destination(
        "crm", headers={"authorization": "Bearer s3cret"}, signing_secrets=(SigningSecret("s3cret"),)
    )
    assert "s3cret" not in repr(destination)
    assert "s3cret" not in repr(destination.signing_secrets)
