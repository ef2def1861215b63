// Values that are chosen once, at random or by circumstance, and kept for good: a server's IPv6
// subnet. What a person decided belongs in a file instead.
#pragma once

#include "store/database.h"

namespace ginnel::storage {

// The value kept under `name`; if there is none yet, `proposed` becomes it. The database has the
// server_schema().
Result<std::string> keep_choice(const Database& database, std::string_view name,
                                std::string_view proposed);

}  // namespace ginnel::storage
