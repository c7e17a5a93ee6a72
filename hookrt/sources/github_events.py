"""The names of GitHub's events, as its documentation lists them under «Webhook events and payloads»."""

from __future__ import annotations

WITHOUT_ACTION = (
    "create",
    "delete",
    "fork",
    "gollum",
    "page_build",
    "ping",
    "public",
    "push",
    "repository_import",
    "security_and_analysis",
    "status",
    "team_add",
    "workflow_dispatch",
)
"""Events whose payload has no `action`."""

WITH_ACTION = (
    "branch_protection_configuration",
    "branch_protection_rule",
    "code_scanning_alert",
    "commit_comment",
    "custom_property",
    "custom_property_values",
    "dependabot_alert",
    "deploy_key",
    "deployment",
    "deployment_protection_rule",
    "deployment_review",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "github_app_authorization",
    "installation",
    "installation_repositories",
    "installation_target",
    "issue_dependencies",
    "label",
    "marketplace_purchase",
    "member",
    "membership",
    "merge_group",
    "meta",
    "milestone",
    "org_block",
    "organization",
    "package",
    "personal_access_token_request",
    "project",
    "project_card",
    "project_column",
    "projects_v2",
    "projects_v2_item",
    "projects_v2_status_update",
    "pull_request_review_thread",
    "registry_package",
    "repository",
    "repository_advisory",
    "repository_ruleset",
    "repository_vulnerability_alert",
    "secret_scanning_alert",
    "secret_scanning_alert_location",
    "secret_scanning_scan",
    "security_advisory",
    "sponsorship",
    "star",
    "sub_issues",
    "team",
    "watch",
)
"""Events that say by their `action` what happened; these may have any."""

_COMMENT = "created deleted edited"
_LABELED = "assigned closed demilestoned edited labeled locked milestoned opened reopened unassigned unlabeled unlocked"

ACTIONS = {
    "check_run": "completed created requested_action rerequested",
    "check_suite": "completed requested rerequested",
    "issue_comment": f"{_COMMENT} pinned unpinned",
    "issues": f"{_LABELED} deleted pinned transferred typed unpinned untyped",
    "pull_request": f"{_LABELED} auto_merge_disabled auto_merge_enabled converted_to_draft dequeued enqueued "
    "ready_for_review review_request_removed review_requested synchronize",
    "pull_request_review": "dismissed edited submitted",
    "pull_request_review_comment": _COMMENT,
    "release": f"{_COMMENT} prereleased published released unpublished",
    "workflow_job": "completed in_progress queued waiting",
    "workflow_run": "completed in_progress requested",
}
"""Events that most hooks are for, with their actions, so that a slip in one is found as well."""

EVENT_TYPES = (
    *WITHOUT_ACTION,
    *(f"{name}.*" for name in WITH_ACTION),
    *(f"{name}.{action}" for name, actions in ACTIONS.items() for action in actions.split()),
    "repository_dispatch.**",
)
"""Every type that GitHub's events have here; the action of a `repository_dispatch` is whatever its sender wrote."""
