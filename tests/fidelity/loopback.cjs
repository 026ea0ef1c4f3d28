// Loaded before a server that would listen on every interface: it listens on 127.0.0.1 instead.
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const address = typeof port === "object" ? port : { port: Number(port) };
  const ready = rest.find((argument) => typeof argument === "function");
  return listen.call(this, { ...address, host: "127.0.0.1" }, ready);
};
