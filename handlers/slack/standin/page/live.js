// The line to the workspace: requests, and one socket that comes back by itself and then catches up.

const FIRST_WAIT = 400;
const LONGEST_WAIT = 8000;
const PATIENCE = 10000;

/** A request failed; the message is for the person who reads it. */
export class NotReached extends Error {}

async function request(path, body) {
  let response;
  try {
    response = await fetch(path, {
      signal: AbortSignal.timeout(PATIENCE),
      ...(body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new NotReached("The workspace can’t be reached. Is its process still running?");
  }
  const text = await response.text();
  let answer = {};
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    answer = { error: text.slice(0, 200) };
  }
  if (!response.ok || answer?.ok === false) throw new NotReached(answer?.error ? `The workspace refused this: ${answer.error}` : `The workspace answered ${response.status}.`);
  return answer ?? {};
}

export const api = {
  state: (user) => request(`/standin/state${user ? `?user=${encodeURIComponent(user)}` : ""}`),
  messages: (channel, user) => request(`/standin/messages?channel=${encodeURIComponent(channel)}&user=${encodeURIComponent(user)}`),
  say: (body) => request("/standin/say", body),
  command: (body) => request("/standin/command", body),
  action: (body) => request("/standin/action", body),
  submitView: (body) => request("/standin/view_submit", body),
  closeView: (body) => request("/standin/view_close", body),
  home: (body) => request("/standin/home", body),
};

/**
 * The socket of one reader. `catchUp` is awaited after each opening, and what arrives meanwhile is held back and
 * handed on afterwards in order: the snapshot can't swallow or repeat an event. `tell` hears of the connection.
 */
export class Live {
  constructor({ user, catchUp, receive, tell }) {
    Object.assign(this, { user, catchUp, receive, tell, wait: FIRST_WAIT, closed: false, socket: null, timer: null });
    this.retry = () => {
      if (!this.closed && !this.socket) this.connect();
    };
    window.addEventListener("online", this.retry);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/standin/live?user=${encodeURIComponent(this.user)}`);
    this.socket = socket;
    let held = [];
    socket.addEventListener("message", ({ data }) => {
      let event;
      try {
        event = JSON.parse(data);
      } catch {
        return;
      }
      if (held) held.push(event);
      else this.receive(event);
    });
    socket.addEventListener("open", async () => {
      try {
        await this.catchUp();
      } catch {
        socket.close();
        return;
      }
      if (this.socket !== socket || this.closed) return;
      const waiting = held;
      held = null;
      for (const event of waiting) this.receive(event);
      this.wait = FIRST_WAIT;
      this.tell("live");
    });
    socket.addEventListener("close", () => {
      if (this.socket !== socket || this.closed) return;
      this.socket = null;
      this.tell("lost");
      this.timer = setTimeout(this.retry, this.wait * (0.75 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    });
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.retry);
    this.socket?.close();
  }
}
