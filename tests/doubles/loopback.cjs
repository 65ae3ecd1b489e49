// Preloaded into Node programs of others (`node --require`): they speak with this machine only, and only it with them.
"use strict";
const dns = require("node:dns");
const net = require("node:net");

const here = (host) => host === undefined || host === null || host === "localhost" || host === "::1" || /^127\./.test(host);

function refused(host) {
  process.stderr.write(`kept from the network: ${host}\n`);
  return Object.assign(new Error(`tests have no network: ${host}`), { code: "ENETUNREACH" });
}

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...given) {
  const first = Array.isArray(given[0]) ? given[0][0] : given[0];
  const host = first !== null && typeof first === "object" ? first.host : typeof given[1] === "string" ? given[1] : undefined;
  if (here(host)) return connect.apply(this, given);
  process.nextTick(() => this.destroy(refused(host)));
  return this;
};

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (port, ...rest) {
  if (typeof port !== "number" && typeof port !== "string") return listen.call(this, port, ...rest);
  const done = rest.filter((one) => typeof one === "function");
  return listen.call(this, Number(port), "127.0.0.1", ...done);
};

const { lookup } = dns;
dns.lookup = function (name, ...rest) {
  if (here(name) || net.isIP(name)) return lookup.call(this, name, ...rest);
  process.nextTick(rest.at(-1), refused(name));
};
