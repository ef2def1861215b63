#pragma once

#include "service/quick/source.h"
#include "service/quick/standing.h"

namespace ginnel::quick {

// Writes what stands into the file. The new text is read back before it takes the old one's place.
Status save_into(const Source& source, Standing& standing);

}  // namespace ginnel::quick
