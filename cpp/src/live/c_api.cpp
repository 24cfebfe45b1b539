// The C interface: structs to options, exceptions to status codes, at this one edge.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crewe/crewe.h"
#include "crewe/error.hpp"
#include "crewe/live/session.hpp"

struct crewe_session {
  crewe::live::Session session;
};

namespace {

namespace live = crewe::live;

// A fixed buffer: telling that there is no memory takes none.
thread_local char last_error[512] = "";

crewe_status fail(crewe_status status, const char* what) noexcept {
  const std::size_t length = std::min(std::strlen(what), sizeof last_error - 1);
  std::memcpy(last_error, what, length);
  last_error[length] = '\0';
  return status;
}

template <class F>
crewe_status guarded(F&& call) noexcept {
  try {
    call();
    return CREWE_OK;
  } catch (const crewe::BusyError& error) {
    return fail(CREWE_BUSY, error.what());
  } catch (const crewe::FormatError& error) {
    return fail(CREWE_FORMAT, error.what());
  } catch (const crewe::DeviceError& error) {
    return fail(CREWE_DEVICE, error.what());
  } catch (const std::invalid_argument& error) {
    return fail(CREWE_INVALID, error.what());
  } catch (const std::out_of_range& error) {
    return fail(CREWE_RANGE, error.what());
  } catch (const std::bad_alloc&) {
    return fail(CREWE_NO_MEMORY, "no memory");
  } catch (const std::exception& error) {
    return fail(CREWE_FAILED, error.what());
  } catch (...) {
    return fail(CREWE_FAILED, "unknown error");
  }
}

[[noreturn]] void wrong(const char* what) {
  throw std::invalid_argument(what);
}

template <class T>
T& there(T* pointer, const char* name) {
  if (pointer == nullptr) throw std::invalid_argument(std::string(name) + ": NULL came");
  return *pointer;
}

// What the first version of this ABI has of each struct: the least that a program may bring.
template <class T>
constexpr std::size_t kLeast = 0;
template <>
constexpr std::size_t kLeast<crewe_image> = offsetof(crewe_image, aberrations) + sizeof(const double*);
template <>
constexpr std::size_t kLeast<crewe_session_options> =
    offsetof(crewe_session_options, position_count) + sizeof(std::size_t);
template <>
constexpr std::size_t kLeast<crewe_frames> = offsetof(crewe_frames, column_stride) + sizeof(std::ptrdiff_t);

// A struct of this version or an earlier one, whose program doesn't know what is zero then.
template <class T>
T sized(const T& given, const char* name) {
  if (given.size < kLeast<T> || given.size > sizeof(T) || given.size % alignof(T) != 0) {
    const std::string text(name);
    throw std::invalid_argument(text + ": size = sizeof(" + text + "), here " + std::to_string(sizeof(T)) +
                                ", wanted, " + std::to_string(given.size) + " came" +
                                (given.size > sizeof(T) ? ": was the program made for a later library?" : ""));
  }
  T known{};
  std::memcpy(&known, &given, given.size);
  return known;
}

double limit(double value) {
  return value == 0 ? live::kUnlimited : value;
}

// C10, C12, phi12, C21, phi21, ... C56, phi56: rotationally symmetric ones have no azimuth.
std::vector<crewe::imaging::Aberration> aberrations_of(const double* numbers) {
  std::vector<crewe::imaging::Aberration> terms;
  if (numbers == nullptr) return terms;
  for (int n = 1; n <= 5; ++n) {
    for (int m = (n + 1) % 2; m <= n + 1; m += 2) {
      const double size = *numbers++, azimuth = m == 0 ? 0.0 : *numbers++;
      if (size != 0) terms.push_back({n, m, size, azimuth});
    }
  }
  return terms;
}

live::Kind kind_of(const crewe_image& image) {
  switch (image.kind) {
    case CREWE_RICOM:
      return live::RiCOM{image.kernel == 0 ? live::RiCOM().kernel : image.kernel, image.low, limit(image.high)};
    case CREWE_VIRTUAL_DETECTOR:
      return live::VirtualDetector{image.inner, limit(image.outer)};
    case CREWE_CENTER_OF_MASS:
      return live::CenterOfMass{};
    case CREWE_ICOM:
      return live::ICOM{image.high_pass};
    case CREWE_ELECTRIC_FIELD:
      return live::ElectricField{image.energy, image.angle_per_pixel};
    case CREWE_SUM:
      return live::Sum{};
    case CREWE_SSB:
      return live::SSB{image.energy,          image.semiangle, image.step,
                       image.angle_per_pixel, image.wiener,    aberrations_of(image.aberrations)};
    default:
      wrong("kind: one of CREWE_RICOM ... CREWE_SSB wanted");
  }
}

std::pair<std::string, live::Kind> named(const crewe_image& image) {
  return {&there(image.name, "crewe_image: name"), kind_of(image)};
}

// They lie as far apart as the program's crewe_image is long.
std::vector<std::pair<std::string, live::Kind>> images_of(const crewe_image* images, std::size_t count) {
  std::vector<std::pair<std::string, live::Kind>> all;
  const auto* at = reinterpret_cast<const std::byte*>(images);
  for (std::size_t i = 0; i < count; ++i, at += images->size) {
    const auto& image = there(reinterpret_cast<const crewe_image*>(at), "images");
    if (image.size != images->size) {
      throw std::invalid_argument("images: size of images[" + std::to_string(i) +
                                  "] = " + std::to_string(images->size) + ", as of images[0], wanted, " +
                                  std::to_string(image.size) + " came");
    }
    all.push_back(named(sized(image, "crewe_image")));
  }
  return all;
}

std::optional<live::Point> center_of(std::int32_t mode, double y, double x) {
  if (mode == CREWE_CENTER_AUTO) return std::nullopt;
  if (mode != CREWE_CENTER_GIVEN) wrong("center_mode: CREWE_CENTER_AUTO or CREWE_CENTER_GIVEN wanted");
  return live::Point{y, x};
}

live::Descan descan_of(std::int32_t mode, const double* slopes) {
  if (mode == CREWE_DESCAN_NONE) return {};
  if (mode == CREWE_DESCAN_FIT) return {.fit = true};
  if (mode != CREWE_DESCAN_GIVEN) wrong("descan_mode: CREWE_DESCAN_NONE, _FIT or _GIVEN wanted");
  return {.fit = false, .yy = slopes[0], .yx = slopes[1], .xy = slopes[2], .xx = slopes[3]};
}

template <class T>
std::vector<T> copied(const T* values, std::size_t count) {
  return values == nullptr ? std::vector<T>() : std::vector<T>(values, values + count);
}

live::Options options_of(const crewe_session_options& given) {
  const crewe_session_options c = sized(given, "crewe_session_options");
  live::Options options;
  options.sy = c.scan_rows;
  options.sx = c.scan_columns;
  options.ky = c.detector_rows;
  options.kx = c.detector_columns;
  options.images = images_of(c.images, c.image_count);
  options.center = center_of(c.center_mode, c.center_y, c.center_x);
  options.descan = descan_of(c.descan_mode, c.descan);
  options.rotation = c.rotation;
  options.transpose = c.transpose != 0;
  options.threads = c.threads;
  if (c.queue != 0) options.queue = c.queue;
  options.busy_when_full = c.busy_when_full != 0;
  options.keep_profile = c.keep_profile != 0;
  const std::size_t pixels = c.detector_rows * c.detector_columns;
  options.dead_pixels = copied(c.dead_pixels, pixels);
  options.dark = copied(c.dark, pixels);
  options.gain = copied(c.gain, pixels);
  options.com_mask = copied(c.com_mask, pixels);
  options.com_inner = c.com_inner;
  options.com_outer = limit(c.com_outer);
  if (c.order < CREWE_RASTER || c.order > CREWE_LIST) wrong("order: CREWE_RASTER, _SERPENTINE or _LIST wanted");
  options.order = static_cast<live::Order>(c.order);
  options.skip = c.skip;
  options.flyback = c.flyback;
  options.positions = copied(c.positions, c.position_count);
  return options;
}

crewe::imaging::FrameBlock block_of(const crewe_frames& given, const live::Options& options) {
  using crewe::imaging::Pixel;
  constexpr Pixel pixels[] = {Pixel::u8, Pixel::u16, Pixel::u32, Pixel::f32, Pixel::u16_be, Pixel::u32_be};
  const crewe_frames frames = sized(given, "crewe_frames");
  if (frames.pixel < CREWE_U8 || frames.pixel > CREWE_U32_BE) wrong("frames: pixel CREWE_U8 ... CREWE_U32_BE wanted");
  crewe::imaging::FrameBlock block;
  block.data = static_cast<const std::byte*>(frames.data);
  block.pixel = pixels[frames.pixel];
  block.count = frames.count;
  block.ny = frames.rows == 0 ? options.ky : frames.rows;
  block.nx = frames.columns == 0 ? options.kx : frames.columns;
  block.frame_stride = frames.frame_stride;
  block.row_stride = frames.row_stride;
  block.column_stride = frames.column_stride;
  return block;
}

}  // namespace

extern "C" {

const char* crewe_last_error(void) {
  return last_error;
}
const char* crewe_version(void) {
  return CREWE_VERSION;
}
int crewe_abi_version(void) {
  return CREWE_ABI_VERSION;
}

crewe_status crewe_session_create(const crewe_session_options* options, crewe_session** session) {
  return guarded([&] {
    there(session, "session") = nullptr;
    *session = new crewe_session{live::Session(options_of(there(options, "options")))};
  });
}

void crewe_session_destroy(crewe_session* session) {
  delete session;
}

crewe_status crewe_session_push(crewe_session* session, const crewe_frames* frames, size_t first,
                                void (*release)(void* user), void* user) {
  return guarded([&] {
    live::Session& s = there(session, "session").session;
    const crewe::imaging::FrameBlock block = block_of(there(frames, "frames"), s.options());
    const std::optional<std::size_t> from = first == CREWE_NEXT ? std::nullopt : std::optional(first);
    if (release == nullptr) {
      s.push(block, from);
    } else {
      s.push(block, from, {release, user});
    }
  });
}

crewe_status crewe_session_push_events(crewe_session* session, const crewe_event* events, size_t count,
                                       void (*release)(void* user), void* user) {
  static_assert(sizeof(crewe_event) == sizeof(crewe::io::Event) && alignof(crewe_event) == alignof(crewe::io::Event));
  return guarded([&] {
    live::Session& s = there(session, "session").session;
    if (count != 0 && events == nullptr) wrong("events: NULL came");
    const std::span block(reinterpret_cast<const crewe::io::Event*>(events), count);
    if (release == nullptr) {
      s.push_events(block);
    } else {
      s.push_events(block, {release, user});
    }
  });
}

crewe_status crewe_session_flush(crewe_session* session) {
  return guarded([&] { there(session, "session").session.flush(); });
}
crewe_status crewe_session_finish(crewe_session* session) {
  return guarded([&] { there(session, "session").session.finish(); });
}
crewe_status crewe_session_next_scan(crewe_session* session) {
  return guarded([&] { there(session, "session").session.next_scan(); });
}

crewe_status crewe_session_configure_image(crewe_session* session, const crewe_image* image) {
  return guarded([&] {
    live::Changes changes;
    changes.images.push_back(named(sized(there(image, "image"), "crewe_image")));
    there(session, "session").session.configure(changes);
  });
}

crewe_status crewe_session_configure_center(crewe_session* session, int32_t mode, double y, double x) {
  return guarded([&] {
    live::Changes changes;
    changes.center = center_of(mode, y, x);
    there(session, "session").session.configure(changes);
  });
}

crewe_status crewe_session_configure_descan(crewe_session* session, int32_t mode, const double slopes[4]) {
  return guarded([&] {
    live::Changes changes;
    changes.descan = descan_of(mode, mode == CREWE_DESCAN_GIVEN ? &there(slopes, "slopes") : nullptr);
    there(session, "session").session.configure(changes);
  });
}

crewe_status crewe_session_configure_rotation(crewe_session* session, double rotation, int32_t transpose) {
  return guarded([&] {
    live::Changes changes;
    changes.rotation = rotation;
    changes.transpose = transpose != 0;
    there(session, "session").session.configure(changes);
  });
}

crewe_status crewe_session_image(crewe_session* session, const char* name, const float** pixels, size_t shape[3]) {
  return guarded([&] {
    live::Session& s = there(session, "session").session;
    const char* const key = &there(name, "name");
    const live::Image image = s.image(key);
    s.refresh(key);
    there(pixels, "pixels") = image.pixels.get();
    if (shape != nullptr) std::copy(image.shape.begin(), image.shape.end(), shape);
  });
}

size_t crewe_session_done(const crewe_session* session) {
  return session == nullptr ? 0 : session->session.done();
}
uint64_t crewe_session_version(const crewe_session* session) {
  return session == nullptr ? 0 : session->session.version();
}

crewe_status crewe_session_center(const crewe_session* session, double* y, double* x) {
  return guarded([&] {
    const live::Point point = there(session, "session").session.center();
    there(y, "y") = point.y;
    there(x, "x") = point.x;
  });
}

}  // extern "C"
