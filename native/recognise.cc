// SPDX-License-Identifier: Apache-2.0
#include "recognise.h"

#include "recognise_dns.h"
#include "recognise_kafka.h"
#include "recognise_sql.h"
#include "turn_reader.h"

namespace aftertrace {
namespace {

constexpr std::size_t kLongestCommand = 24;

bool isDigit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

// Behind `sign`, decimal digits and CR LF. Returns where the next line begins, 0 if it is none.
std::size_t numberLine(const TurnReader &reader, std::size_t at, uint8_t sign) {
  if (reader.byte(at) != sign || !isDigit(reader.byte(at + 1))) return 0;
  std::size_t end = at + 1;
  while (isDigit(reader.byte(end)) && end < at + 12) end++;
  return reader.begins("\r\n", end) ? end + 2 : 0;
}

// An array whose first element is the command: https://redis.io/docs/latest/develop/reference/protocol-spec/
bool recogniseRedis(const TurnReader &reader, std::string &operation) {
  const std::size_t length = numberLine(reader, 0, '*');
  const std::size_t command = length == 0 ? 0 : numberLine(reader, length, '$');
  if (command == 0) return false;
  const std::string word = upperWord(reader.text(command, kLongestCommand), kLongestCommand);
  if (word.empty() || !reader.begins("\r\n", command + word.size())) return false;
  operation = word;
  return true;
}

// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/: OP_MSG, its first section a
// document whose first element is the command.
bool recogniseMongodb(const TurnReader &reader, std::string &operation) {
  constexpr uint32_t kMessage = 2013, kQuery = 2004, kLongest = 48 << 20;
  const uint32_t length = reader.little32(0);
  if (!reader.has(0, 16) || length < 16 || length > kLongest || reader.little32(8) != 0) return false;
  const uint32_t code = reader.little32(12);
  if (code == kQuery) {
    operation = "query";
    return true;
  }
  if (code != kMessage || reader.byte(20) != 0) return false;
  const std::string_view rest = reader.text(26, kLongestCommand + 1);
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos || end == 0) return false;
  const std::string_view command = rest.substr(0, end);
  if (!std::all_of(command.begin(), command.end(), isLetter)) return false;
  operation = command;
  return true;
}

// https://github.com/memcached/memcached/blob/master/doc/protocol.txt
bool recogniseMemcached(const TurnReader &reader, std::string &operation) {
  constexpr std::string_view kCommands[] = {
      "get ", "gets ", "gat ", "set ", "add ", "replace ", "append ", "prepend ", "cas ", "delete ",
      "incr ", "decr ", "touch ", "stats", "version", "mg ", "ms ", "md ", "mn\r",
  };
  const std::string_view line = reader.text(0, reader.size());
  const std::size_t end = line.find('\r');
  const std::string_view text = line.substr(0, end);
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!std::all_of(text.begin(), text.end(), printable)) return false;
  for (const std::string_view command : kCommands) {
    if (!reader.begins(command)) continue;
    operation = command.substr(0, command.find_last_not_of(" \r") + 1);
    return true;
  }
  return false;
}

// https://fastcgi-archives.github.io/FastCGI_Specification.html: FCGI_BEGIN_REQUEST of a responder.
bool isFastcgi(const TurnReader &reader) {
  return reader.has(0, 16) && reader.byte(0) == 1 && reader.byte(1) == 1 && reader.big16(4) == 8 &&
         reader.big16(8) == 1;
}

Protocol withoutTurns(const TurnReader &reader) {
  const uint8_t first = reader.byte(0);
  if (first >= 0x14 && first <= 0x17 && reader.byte(1) == 3 && reader.byte(2) <= 4 && reader.has(0, 3)) {
    return Protocol::tls;
  }
  if (reader.begins("SSH-")) return Protocol::ssh;
  if (reader.begins("PRI * HTTP/2")) return Protocol::http2;
  if (reader.begins("AMQP")) return Protocol::amqp;
  if (first == 0 && reader.begins("AUTH", 1)) return Protocol::dbus;
  if ((first == 'l' || first == 'B') && reader.has(0, 12)) {
    // The order of bytes, then an unused byte and protocol version 11; in D-Bus type, flags, version 1.
    const uint32_t version = first == 'B' ? reader.big16(2) : reader.byte(2) | reader.byte(3) << 8;
    if (reader.byte(1) == 0 && version == 11) return Protocol::x11;
    if (reader.byte(1) >= 1 && reader.byte(1) <= 4 && reader.byte(2) <= 7 && reader.byte(3) == 1) {
      return Protocol::dbus;
    }
  }
  return Protocol::unknown;
}

}  // namespace

std::string_view nameOf(Protocol protocol) {
  constexpr std::string_view kNames[] = {"",    "redis", "postgresql", "mysql", "mongodb",
                                         "kafka", "memcached", "dns", "fastcgi", "tls",
                                         "ssh", "http2", "amqp", "dbus", "x11"};
  return kNames[static_cast<std::size_t>(protocol)];
}

bool takesTurns(Protocol protocol) { return protocol < Protocol::tls; }

Turn recognise(const TurnBytes &bytes, Protocol known, bool datagram) {
  const TurnReader reader(bytes);
  Turn turn;
  const auto is = [known](Protocol protocol) { return known == protocol; };
  const auto may = [known](Protocol protocol) { return known == Protocol::unknown || known == protocol; };
  if (datagram) {
    turn.protocol = Protocol::dns;
    recogniseDns(reader, 0, turn.operation);
  } else if (const Protocol silent = withoutTurns(reader); silent != Protocol::unknown) {
    turn.protocol = silent;
  } else if (may(Protocol::redis) && recogniseRedis(reader, turn.operation)) {
    turn.protocol = Protocol::redis;
  } else if (may(Protocol::mongodb) && recogniseMongodb(reader, turn.operation)) {
    turn.protocol = Protocol::mongodb;
  } else if (may(Protocol::postgresql) &&
             recognisePostgresql(reader, bytes.moved, is(Protocol::postgresql), turn.operation)) {
    turn.protocol = Protocol::postgresql;
  } else if (may(Protocol::mysql) &&
             recogniseMysql(reader, bytes.moved, is(Protocol::mysql), turn.operation)) {
    turn.protocol = Protocol::mysql;
  } else if (may(Protocol::dns) && reader.big16(0) + std::size_t{2} == bytes.moved &&
             recogniseDns(reader, 2, turn.operation)) {
    turn.protocol = Protocol::dns;
  } else if (may(Protocol::kafka) && recogniseKafka(reader, bytes.moved, turn.operation)) {
    turn.protocol = Protocol::kafka;
  } else if (may(Protocol::memcached) && recogniseMemcached(reader, turn.operation)) {
    turn.protocol = Protocol::memcached;
  } else if (may(Protocol::fastcgi) && isFastcgi(reader)) {
    turn.protocol = Protocol::fastcgi;
  } else {
    turn.protocol = known;
  }
  return turn;
}

}  // namespace aftertrace
