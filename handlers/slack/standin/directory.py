"""Who is who, and the small methods: auth.test, users.*, bots.info, team.info, reactions.add, assistant.threads.*."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from handlers.slack.standin.config import User
from handlers.slack.standin.conversations import page
from handlers.slack.standin.messages import Json
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.workspace import Reacted, StatusShown, Workspace


def api_test(_workspace: Workspace, args: Json) -> Json:
    if args.get("error"):
        raise Refused(args["error"])
    return {"args": args}


def auth_test(workspace: Workspace, _args: Json) -> Json:
    config = workspace.config
    return {
        "url": f"{workspace.base_url}/",
        "team": config.team_name,
        "user": config.bot.name,
        "team_id": config.team_id,
        "user_id": config.bot.id,
        "bot_id": config.bot_id,
        "is_enterprise_install": False,
    }


def described(workspace: Workspace, user: User) -> Json:
    config = workspace.config
    home = user.team_id or config.team_id
    stranger = home != config.team_id
    made: Json = {
        "id": user.id,
        "team_id": home,
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": int(_offset(user.tz)),
        "profile": {
            "real_name": user.real_name,
            "display_name": user.name,
            "team": home,
            **({"bot_id": config.bot_id, "api_app_id": config.app_id} if user.is_bot else {}),
        },
        "is_admin": user.is_admin or user.is_owner,
        "is_owner": user.is_owner,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted or user.is_ultra_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
    if stranger:
        made["is_stranger"] = True
    return made


def _offset(zone: str) -> float:
    offset = datetime.now(UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def users_info(workspace: Workspace, args: Json) -> Json:
    user = workspace.users.get(args["user"])
    if user is None:
        raise Refused("user_not_found")
    return {"user": described(workspace, user)}


def users_list(workspace: Workspace, args: Json) -> Json:
    items, cursor = page(list(workspace.users.values()), args, default=100, most=1000)
    return {
        "members": [described(workspace, user) for user in items],
        "cache_ts": int(workspace.now()),
        "response_metadata": {"next_cursor": cursor},
    }


def usergroups_users_list(workspace: Workspace, args: Json) -> Json:
    members = dict(workspace.config.groups).get(args["usergroup"])
    if members is None:
        raise Refused("no_such_subteam")
    return {"users": list(members)}


def bots_info(workspace: Workspace, args: Json) -> Json:
    config = workspace.config
    if args.get("bot", config.bot_id) != config.bot_id:
        raise Refused("bot_not_found")
    return {
        "bot": {
            "id": config.bot_id,
            "deleted": False,
            "name": config.bot.real_name,
            "app_id": config.app_id,
            "user_id": config.bot.id,
        }
    }


def team_info(workspace: Workspace, args: Json) -> Json:
    config = workspace.config
    if args.get("team", config.team_id) != config.team_id:
        raise Refused("team_not_found")
    return {"team": {"id": config.team_id, "name": config.team_name, "domain": config.team_name.lower()}}


def reactions_add(workspace: Workspace, args: Json) -> Json:
    conversation = workspace.conversation(args["channel"])
    if conversation is None:
        raise Refused("channel_not_found")
    message = workspace.find(conversation.id, args["timestamp"])
    if message is None:
        raise Refused("message_not_found")
    if conversation.is_archived:
        raise Refused("is_archived")
    react(workspace, workspace.config.bot.id, conversation.id, message.ts, args["name"])
    return {}


def react(workspace: Workspace, user: str, channel: str, ts: str, name: str) -> None:
    """Put someone's reaction on a message. Raises Refused: it is there already."""
    message = workspace.find(channel, ts)
    if message is None:
        raise Refused("message_not_found")
    users = message.reactions.setdefault(name.strip(":"), [])
    if user in users:
        raise Refused("already_reacted")
    users.append(user)
    workspace.tell(Reacted(user=user, channel=channel, ts=ts, name=name.strip(":")))


def set_status(workspace: Workspace, args: Json) -> Json:
    conversation = workspace.conversations.get(args["channel_id"])
    if conversation is None or workspace.config.bot.id not in conversation.members:
        raise Refused("channel_not_found")
    _known_thread(workspace, conversation.id, args["thread_ts"])
    workspace.tell(StatusShown(channel=conversation.id, thread_ts=args["thread_ts"], status=args["status"]))
    return {}


def set_suggested_prompts(workspace: Workspace, args: Json) -> Json:
    conversation = workspace.conversations.get(args["channel_id"])
    if conversation is None:
        raise Refused("channel_not_found")
    if args.get("thread_ts"):
        _known_thread(workspace, conversation.id, args["thread_ts"])
    prompts = args["prompts"]
    if not isinstance(prompts, list) or any(
        not isinstance(prompt, dict) or set(prompt) != {"title", "message"} for prompt in prompts
    ):
        raise Refused("invalid_arguments", "prompts must have a title and a message each [json-pointer:/prompts]")
    return {}


def set_title(workspace: Workspace, args: Json) -> Json:
    conversation = workspace.conversations.get(args["channel_id"])
    if conversation is None:
        raise Refused("channel_not_found")
    _known_thread(workspace, conversation.id, args["thread_ts"])
    return {}


def _known_thread(workspace: Workspace, channel: str, thread_ts: str) -> None:
    if workspace.find(channel, thread_ts) is None:
        raise Refused("invalid_thread_ts")


METHODS = {
    "api.test": api_test,
    "auth.test": auth_test,
    "users.info": users_info,
    "users.list": users_list,
    "usergroups.users.list": usergroups_users_list,
    "bots.info": bots_info,
    "team.info": team_info,
    "reactions.add": reactions_add,
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setSuggestedPrompts": set_suggested_prompts,
    "assistant.threads.setTitle": set_title,
}
