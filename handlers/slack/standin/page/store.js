// What the page knows: people, channels, messages, who reads. Plain values; drawing happens elsewhere.

const REMEMBERED = "read";

function stored(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // a browser without storage forgets; nothing depends on it
  }
}

/** Slack's ts compared as what it is: seconds and a counter. */
export const later = (one, other) => one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);

/** The message that is known already when nothing about it is new, so that what is drawn can stay. */
const same = (before, message) => (before && JSON.stringify(before) === JSON.stringify(message) ? before : message);

export class Store {
  constructor() {
    this.state = null;
    this.me = null;
    this.connection = "connecting";
    this.route = { channel: null, thread: null, tab: "messages" };
    this.channels = new Map(); // id -> Map(ts -> message)
    this.statuses = new Map(); // "channel/thread" -> line
    this.home = null;
    this.read = {};
    this.newAt = null; // the first unread message of the open channel, as it was when it was opened
    this.dismissed = new Set(); // ephemeral messages the reader closed
  }

  /** The workspace as the server describes it; keeps who reads when that person is still there. */
  open(state, wanted) {
    this.state = state;
    const known = (id) => state.users.some((user) => user.id === id && !user.is_bot);
    this.me = [wanted, this.me, state.me].find((id) => id && known(id)) ?? state.users.find((user) => !user.is_bot)?.id ?? null;
    this.read = stored(`${REMEMBERED}/${state.team.id}/${this.me}`, {});
  }

  /** For renderers: names of people and channels, and who reads. */
  get people() {
    return {
      me: this.me,
      users: this.state.users,
      channels: this.state.channels,
      user: (id) => {
        const user = this.state.users.find((one) => one.id === id);
        return user && { ...user, name: user.real_name || user.name };
      },
      channel: (id) => this.state.channels.find((one) => one.id === id),
    };
  }

  get director() {
    return this.state.app.bot_user_id;
  }

  /** The channels this person sees: public ones, private ones they are in, their own direct messages. */
  get visible() {
    return this.state.channels.filter((channel) => (channel.is_im ? channel.im_user ?? this.me : this.me) === this.me && (channel.members?.includes(this.me) ?? true));
  }

  title(channel) {
    if (!channel) return "";
    return channel.is_im ? this.people.user(this.director)?.name ?? "Director" : channel.name;
  }

  messages(channel) {
    return [...(this.channels.get(channel)?.values() ?? [])].sort((one, other) => later(one.ts, other.ts));
  }

  roots(channel) {
    return this.messages(channel).filter((one) => (!one.thread_ts || one.thread_ts === one.ts || one.broadcast || (one.ephemeral && !one.thread_ts)) && !this.dismissed.has(one.ts));
  }

  replies(channel, root) {
    return this.messages(channel).filter((one) => one.thread_ts === root && one.ts !== root && !this.dismissed.has(one.ts));
  }

  /** Take a whole channel as the server has it. */
  load(channel, messages) {
    const before = this.channels.get(channel) ?? new Map();
    this.channels.set(channel, new Map(messages.map((one) => [one.ts, same(before.get(one.ts), one)])));
    if (this.read[channel] === undefined) this.markRead(channel);
  }

  put(channel, message) {
    if (!this.channels.has(channel)) this.channels.set(channel, new Map());
    const messages = this.channels.get(channel);
    messages.set(message.ts, same(messages.get(message.ts), message));
  }

  remove(channel, ts) {
    this.channels.get(channel)?.delete(ts);
  }

  setStatus(channel, thread, line) {
    if (line) this.statuses.set(`${channel}/${thread ?? ""}`, line);
    else this.statuses.delete(`${channel}/${thread ?? ""}`);
  }

  status(channel, thread) {
    return this.statuses.get(`${channel}/${thread ?? ""}`) ?? null;
  }

  unreadMessages(channel) {
    const since = this.read[channel] ?? "";
    return this.messages(channel).filter((one) => one.user !== this.me && !one.ephemeral && later(one.ts, since) > 0);
  }

  unread(channel) {
    return this.unreadMessages(channel).length;
  }

  markRead(channel) {
    const newest = this.messages(channel).at(-1)?.ts ?? "";
    if (this.read[channel] === newest) return;
    this.read = { ...this.read, [channel]: newest };
    remember(`${REMEMBERED}/${this.state.team.id}/${this.me}`, this.read);
  }
}
