// SPDX-License-Identifier: Apache-2.0
#include "recognise_sql.h"

#include <string_view>

namespace aftertrace {
namespace {

constexpr std::string_view kKeywords[] = {
    "ALTER",   "ANALYZE",  "BEGIN",    "CALL",     "CHECKPOINT", "CLOSE",   "CLUSTER", "COMMENT",
    "COMMIT",  "COPY",     "CREATE",   "DEALLOCATE", "DECLARE",  "DELETE",  "DESCRIBE", "DISCARD",
    "DO",      "DROP",     "END",      "EXECUTE",  "EXPLAIN",    "FETCH",   "GRANT",   "HANDLER",
    "INSERT",  "KILL",     "LISTEN",   "LOAD",     "LOCK",       "MERGE",   "MOVE",    "NOTIFY",
    "OPTIMIZE", "PREPARE", "REFRESH",  "REINDEX",  "RELEASE",    "RENAME",  "REPLACE", "RESET",
    "REVOKE",  "ROLLBACK", "SAVEPOINT", "SELECT",  "SET",        "SHOW",    "START",   "TABLE",
    "TRUNCATE", "UNLISTEN", "UPDATE",  "USE",      "VACUUM",     "VALUES",  "WITH",
};

// Where the statement begins, behind blanks, parentheses and comments.
std::string_view skipComments(std::string_view text) {
  for (;;) {
    const std::size_t start = text.find_first_not_of(" \t\r\n(;");
    if (start == std::string_view::npos) return {};
    text.remove_prefix(start);
    const bool line = text.substr(0, 2) == "--";
    if (!line && text.substr(0, 2) != "/*") return text;
    const std::size_t end = line ? text.find('\n') : text.find("*/", 2);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + (line ? 1 : 2));
  }
}

// The keyword of a statement; '' if it is none that is known.
std::string keywordOf(std::string_view statement) {
  const std::string word = upperWord(skipComments(statement), 16);
  for (const std::string_view keyword : kKeywords) {
    if (word == keyword) return word;
  }
  return "";
}

std::string orQuery(std::string keyword) { return keyword.empty() ? "QUERY" : keyword; }

// Messages without a type, before the session: length, then a code.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
bool postgresqlStart(const TurnReader &reader, std::size_t moved, std::string &operation) {
  const uint32_t length = reader.big32(0);
  if (!reader.has(0, 8) || length != moved) return false;
  switch (reader.big32(4)) {
    case 196608:
      operation = "STARTUP";
      return true;
    case 80877102:
      operation = "CANCEL";
      return true;
    case 80877103:
      operation = "SSL";
      return true;
    case 80877104:
      operation = "GSS";
      return true;
    default:
      return false;
  }
}

}  // namespace

bool recognisePostgresql(const TurnReader &reader, std::size_t moved, bool known,
                         std::string &operation) {
  if (postgresqlStart(reader, moved, operation)) return true;
  const uint32_t length = reader.big32(1);
  if (!reader.has(0, 5) || length < 4 || length > (1U << 30)) return false;
  const std::string_view rest = reader.text(5, reader.size());
  std::string keyword;
  switch (reader.byte(0)) {
    case 'Q':
      keyword = keywordOf(rest);
      break;
    case 'P': {
      const std::size_t end = rest.find('\0');
      if (end != std::string_view::npos) keyword = keywordOf(rest.substr(end + 1));
      break;
    }
    case 'B':
    case 'E':
      if (known) operation = "EXECUTE";
      return known;
    case 'C':
    case 'D':
    case 'H':
    case 'S':
      if (known) operation = "SYNC";
      return known;
    case 'F':
      if (known) operation = "CALL";
      return known;
    case 'X':
      if (known) operation = "TERMINATE";
      return known;
    case 'p':
      if (known) operation = "PASSWORD";
      return known;
    case 'd':
    case 'c':
    case 'f':
      if (known) operation = "COPY";
      return known;
    default:
      return false;
  }
  if (keyword.empty() && !known) return false;
  operation = orQuery(keyword);
  return true;
}

// https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html: length (3), number, command.
bool recogniseMysql(const TurnReader &reader, std::size_t moved, bool known, std::string &operation) {
  if (!reader.has(0, 5)) return false;
  const uint32_t length = reader.little32(0) & 0xffffff;
  const uint8_t number = reader.byte(3);
  if (length + 4 != moved && !known) return false;
  const uint8_t command = reader.byte(4);
  // The server's greeting: version 10, then its version as text.
  if (number == 0 && command == 10 && reader.byte(5) >= '0' && reader.byte(5) <= '9' &&
      reader.text(5, 24).find('.') != std::string_view::npos) {
    return true;
  }
  const std::string keyword = keywordOf(reader.text(5, reader.size()));
  if (number != 0 || (!known && (command != 3 || keyword.empty()))) return false;
  switch (command) {
    case 1:
      operation = "QUIT";
      break;
    case 2:
      operation = "USE";
      break;
    case 3:
      operation = orQuery(keyword);
      break;
    case 14:
      operation = "PING";
      break;
    case 22:
      operation = keyword.empty() ? "PREPARE" : "PREPARE " + keyword;
      break;
    case 23:
      operation = "EXECUTE";
      break;
    case 25:
      operation = "CLOSE";
      break;
    case 31:
      operation = "RESET";
      break;
    default:
      operation = "COMMAND";
  }
  return true;
}

}  // namespace aftertrace
