#include "store/choices.h"

#include "base/check.h"

namespace ginnel::storage {

Result<std::string> keep_choice(const Database& database, std::string_view name,
                                std::string_view proposed) {
  // The insert does nothing when the name is taken, also by a program that started just now.
  auto insert = database.prepare("INSERT OR IGNORE INTO choices VALUES (?, ?)");
  if (!insert) return pass(std::move(insert));
  if (Status kept = insert->bind(1, name).bind(2, proposed).run(); !kept) {
    return pass(std::move(kept));
  }
  auto query = database.prepare("SELECT value FROM choices WHERE name = ?");
  if (!query) return pass(std::move(query));
  auto row = query->bind(1, name).step();
  if (!row) return pass(std::move(row));
  CHECK(*row);
  return std::string(query->text(0));
}

}  // namespace ginnel::storage
