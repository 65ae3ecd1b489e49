"""views.*: modals and Home views, and the trigger ids that open them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from handlers.slack.standin import blocks as block_rules
from handlers.slack.standin.messages import Json, with_block_ids
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.workspace import HomePublished, Method, ViewClosed, ViewShown, Workspace

_STACK = 3


@dataclass(kw_only=True)
class _Trigger:
    user: str
    at: float
    used: bool = False


class Views:
    """The views that people see: a stack of modals for each person, and their Home."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._triggers: dict[str, _Trigger] = {}
        self._owner: dict[str, str] = {}
        self.stacks: dict[str, list[Json]] = {}
        self.homes: dict[str, Json] = {}
        self.methods: dict[str, Method] = {
            "views.open": self.open,
            "views.push": self.push,
            "views.update": self.update,
            "views.publish": self.publish,
        }

    def trigger(self, user: str) -> str:
        """A new trigger id, good for one view within a few seconds."""
        identity = f"{self._workspace.new_id('T')}.{secrets.token_hex(8)}"
        self._triggers[identity] = _Trigger(user=user, at=self._workspace.now())
        return identity

    def shown(self, user: str) -> Json | None:
        """The modal on top of this person's stack."""
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def find(self, view_id: str) -> tuple[str, Json] | None:
        """Whose view this is, and the view."""
        user = self._owner.get(view_id)
        if user is None:
            return None
        for view in (*self.stacks.get(user, ()), *((self.homes[user],) if user in self.homes else ())):
            if view["id"] == view_id:
                return user, view
        return None

    def open(self, workspace: Workspace, args: Json) -> Json:
        user = self._use(args)
        self._demand(args["view"], "modal")
        self._taken(args["view"])
        view = self._made(args["view"], user)
        self.stacks[user] = [view]
        workspace.tell(ViewShown(user=user, view=view))
        return {"view": view}

    def push(self, _workspace: Workspace, args: Json) -> Json:
        user = self._use(args)
        self._demand(args["view"], "modal")
        return {"view": self.put_on_top(user, args["view"])}

    def put_on_top(self, user: str, sent: Json) -> Json:
        stack = self.stacks.get(user)
        if not stack:
            raise Refused("not_found")
        if len(stack) >= _STACK:
            raise Refused("push_limit_reached")
        self._demand(sent, "modal")
        view = self._made(sent, user)
        view.update(root_view_id=stack[0]["id"], previous_view_id=stack[-1]["id"])
        stack.append(view)
        self._workspace.tell(ViewShown(user=user, view=view))
        return view

    def update(self, _workspace: Workspace, args: Json) -> Json:
        self._demand(args["view"], None)
        found = self._by_id(args.get("view_id"), args.get("external_id"))
        if found is None:
            raise Refused("not_found")
        user, view = found
        if args.get("hash") and args["hash"] != view["hash"]:
            raise Refused("hash_conflict")
        return {"view": self.replace(user, view["id"], args["view"])}

    def replace(self, user: str, view_id: str, sent: Json) -> Json:
        """Put new content in a view's place; it keeps its id."""
        self._demand(sent, None)
        view = self._made(sent, user, identity=view_id)
        stack = self.stacks.get(user, [])
        for number, standing in enumerate(stack):
            if standing["id"] == view_id:
                view.update(root_view_id=standing["root_view_id"], previous_view_id=standing["previous_view_id"])
                stack[number] = view
        self._workspace.tell(ViewShown(user=user, view=view))
        return view

    def publish(self, workspace: Workspace, args: Json) -> Json:
        user = args["user_id"]
        if user not in workspace.users:
            raise Refused("invalid_arguments", "user_not_found [json-pointer:/user_id]")
        self._demand(args["view"], "home")
        standing = self.homes.get(user)
        if args.get("hash") and standing is not None and args["hash"] != standing["hash"]:
            raise Refused("hash_conflict")
        view = self._made(args["view"], user, identity=standing["id"] if standing else None)
        self.homes[user] = view
        workspace.tell(HomePublished(user=user, view=view))
        return {"view": view}

    def close(self, user: str, view_id: str, *, all_of_them: bool = False) -> None:
        """Take a view (and what lies above it) away."""
        stack = self.stacks.get(user, [])
        keep = 0 if all_of_them else next((n for n, view in enumerate(stack) if view["id"] == view_id), len(stack))
        del stack[keep:]
        self._workspace.tell(ViewClosed(user=user, view_id=view_id))
        if stack:
            self._workspace.tell(ViewShown(user=user, view=stack[-1]))

    def _use(self, args: Json) -> str:
        trigger = self._triggers.get(args.get("trigger_id") or args.get("interactivity_pointer") or "")
        if trigger is None:
            raise Refused("invalid_trigger_id")
        limit = self._workspace.config.trigger_seconds
        if limit is not None and self._workspace.now() - trigger.at > limit:
            raise Refused("expired_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        trigger.used = True
        return trigger.user

    def _demand(self, view: Any, kind: str | None) -> None:
        block_rules.demand_view(view, self._workspace)
        if kind is not None and view["type"] != kind:
            raise Refused("invalid_arguments", f"must be a {kind} view [json-pointer:/view/type]")

    def _taken(self, view: Json) -> None:
        if view.get("external_id") and self._by_id(None, view["external_id"]) is not None:
            raise Refused("duplicate_external_id")

    def _by_id(self, view_id: str | None, external_id: str | None) -> tuple[str, Json] | None:
        if view_id:
            return self.find(view_id)
        for user, stack in self.stacks.items():
            for view in stack:
                if external_id and view.get("external_id") == external_id:
                    return user, view
        return None

    def _made(self, sent: Json, user: str, *, identity: str | None = None) -> Json:
        config = self._workspace.config
        identity = identity or self._workspace.new_id("V")
        self._owner[identity] = user
        return {
            "callback_id": "",
            "private_metadata": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "title": None,
            "submit": None,
            "close": None,
            **sent,
            "blocks": with_block_ids(sent["blocks"], identity),
            "id": identity,
            "team_id": config.team_id,
            "app_id": config.app_id,
            "bot_id": config.bot_id,
            "hash": f"{self._workspace.new_ts()}.{secrets.token_hex(4)}",
            "root_view_id": identity,
            "previous_view_id": None,
            "state": {"values": {}},
        }
