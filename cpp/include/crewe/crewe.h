/* crewe for C: live images of a scanning electron microscope, fed from an acquisition program's own buffers.
 *
 *   crewe_image images[] = {{.size = sizeof(crewe_image), .name = "ricom", .kind = CREWE_RICOM}};
 *   crewe_session_options options = {.size = sizeof options, .images = images, .image_count = 1,
 *                                    .scan_rows = 256, .scan_columns = 256,
 *                                    .detector_rows = 256, .detector_columns = 256};
 *   crewe_session* session;
 *   if (crewe_session_create(&options, &session) != CREWE_OK) puts(crewe_last_error());
 *
 * Fields that are zero have their defaults. Every function that can fail returns a crewe_status; what went wrong is
 * told by crewe_last_error(), per thread. Nothing is thrown. One thread pushes, any thread reads. Axes are (y, x),
 * units those of crewe/live/kinds.hpp.
 *
 * What a program has compiled in, the numbers and the layouts of this file, doesn't change without a new
 * CREWE_ABI_VERSION, which is that of the shared library's name too (libcrewe.so.2). In between functions are added,
 * and structs grow at their end: each tells its size first, by `.size = sizeof(crewe_frames)` or as a whole by
 * `crewe_frames frames = CREWE_FRAMES_INIT;`. A library takes its own sizes and those of earlier ones, any other is
 * CREWE_INVALID. crewe_event alone has no size: it stays as it is.
 */
#ifndef CREWE_CREWE_H
#define CREWE_CREWE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define CREWE_API
#else
#define CREWE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define CREWE_ABI_VERSION 2

typedef enum crewe_status {
  CREWE_OK = 0,
  CREWE_BUSY = 1,    /* the queue is full and the session was told not to wait: push again later */
  CREWE_INVALID = 2, /* an argument is wrong, or a block holds NaN; nothing has changed */
  CREWE_RANGE = 3,   /* an event outside of the scan or the detector, an image that isn't there; nothing has changed */
  CREWE_FORMAT = 4,  /* damaged data */
  CREWE_NO_MEMORY = 5,
  CREWE_DEVICE = 6,
  CREWE_FAILED = 7 /* anything else */
} crewe_status;

/* What the last call of this thread that failed has to say; "" if none did. Valid until the next one fails. */
CREWE_API const char* crewe_last_error(void);
CREWE_API const char* crewe_version(void);
CREWE_API int crewe_abi_version(void); /* of the library; to be compared with CREWE_ABI_VERSION */

/* ------------------------------------------------------------------------------------------------------- images */
enum {
  CREWE_RICOM = 0,            /* (sy, sx): kernel, low, high */
  CREWE_VIRTUAL_DETECTOR = 1, /* (sy, sx): inner, outer */
  CREWE_CENTER_OF_MASS = 2,   /* (sy, sx, 2) as (y, x) */
  CREWE_ICOM = 3,             /* (sy, sx): high_pass */
  CREWE_ELECTRIC_FIELD = 4,   /* (sy, sx, 2) as (y, x): energy, angle_per_pixel */
  CREWE_SUM = 5,              /* (ky, kx): PACBED */
  CREWE_SSB = 6               /* (sy, sx), rad: energy, angle_per_pixel, semiangle, step, wiener, aberrations */
};

#define CREWE_ABERRATIONS 25

typedef struct crewe_image {
  size_t size; /* sizeof(crewe_image); the same for all of an array */
  const char* name;
  int32_t kind;
  uint32_t kernel;           /* positions, odd; 0: 61 */
  double low, high;          /* cycles per position; 0: no limit */
  double inner, outer;       /* detector pixels; outer 0: no limit */
  double high_pass;          /* cycles per position */
  double energy;             /* eV */
  double angle_per_pixel;    /* mrad */
  double semiangle;          /* mrad */
  double step;               /* angstrom */
  double wiener;             /* 0: none */
  const double* aberrations; /* NULL: none, or CREWE_ABERRATIONS numbers: C10, C12, phi12, C21, phi21, C23, phi23, C30,
                                ... C56, phi56 in angstrom and rad; read during the call */
} crewe_image;

#define CREWE_IMAGE_INIT {.size = sizeof(crewe_image)}

/* ------------------------------------------------------------------------------------------------------ sessions */
enum { CREWE_CENTER_AUTO = 0, CREWE_CENTER_GIVEN = 1 };
enum { CREWE_DESCAN_NONE = 0, CREWE_DESCAN_FIT = 1, CREWE_DESCAN_GIVEN = 2 };
enum { CREWE_RASTER = 0, CREWE_SERPENTINE = 1, CREWE_LIST = 2 };

typedef struct crewe_session_options {
  size_t size; /* sizeof(crewe_session_options) */
  size_t scan_rows, scan_columns;
  size_t detector_rows, detector_columns;
  const crewe_image* images;
  size_t image_count;

  int32_t center_mode;       /* CREWE_CENTER_AUTO: mean centre of mass, refined as the scan proceeds */
  double center_y, center_x; /* detector pixels, at the middle of the scan */
  int32_t descan_mode;
  double descan[4]; /* detector pixels per position: y by row, y by column, x by row, x by column */
  double rotation;  /* rad */
  int32_t transpose;

  int32_t threads;        /* 0: one per core */
  size_t queue;           /* borrowed blocks that may wait; 0: 64 */
  int32_t busy_when_full; /* 0: a push waits for room in the queue; else it returns CREWE_BUSY */
  int32_t keep_profile;

  const uint8_t* dead_pixels; /* (ky, kx) each, or NULL; copied */
  const float* dark;
  const float* gain;
  const float* com_mask;
  double com_inner, com_outer; /* detector pixels; com_outer 0: no limit */

  int32_t order;
  size_t skip, flyback;     /* frames before the first position, and after every row, that belong nowhere */
  const int32_t* positions; /* CREWE_LIST: one per frame, -1 = nowhere; copied; else NULL */
  size_t position_count;
} crewe_session_options;

#define CREWE_SESSION_OPTIONS_INIT {.size = sizeof(crewe_session_options)}

typedef struct crewe_session crewe_session;

CREWE_API crewe_status crewe_session_create(const crewe_session_options* options, crewe_session** session);
/* Finishes first: every borrowed block is released when this returns. NULL is fine. */
CREWE_API void crewe_session_destroy(crewe_session* session);

enum {
  CREWE_U8 = 0,
  CREWE_U16 = 1,
  CREWE_U32 = 2,
  CREWE_F32 = 3,
  CREWE_U16_BE = 4, /* big-endian, as Merlin detectors send them */
  CREWE_U32_BE = 5
};

typedef struct crewe_frames {
  size_t size; /* sizeof(crewe_frames) */
  const void* data;
  int32_t pixel;
  size_t count;                                      /* frames */
  size_t rows, columns;                              /* 0: those of the session's detector */
  ptrdiff_t frame_stride, row_stride, column_stride; /* bytes; 0: dense */
} crewe_frames;

#define CREWE_FRAMES_INIT {.size = sizeof(crewe_frames)}

/* Frame index that means: after the last block pushed. */
#define CREWE_NEXT ((size_t)-1)

/* `release` NULL: the frames are summed when this returns. Otherwise the memory is borrowed: a thread of the session
 * sums it where it lies and then calls release(user), once; that must not call the session. If the status isn't
 * CREWE_OK, nothing was borrowed. What is wrong with the numbers of a borrowed block is reported by the next push or
 * flush; that push takes nothing, and is to be repeated. `first`: index of the first frame as the detector counts
 * them, or CREWE_NEXT. */
CREWE_API crewe_status crewe_session_push(crewe_session* session, const crewe_frames* frames, size_t first,
                                          void (*release)(void* user), void* user);

typedef struct crewe_event { /* 8 bytes, as a detector's reader fills them by the million */
  uint32_t position;         /* row * scan_columns + column */
  uint16_t y, x;
} crewe_event;

/* Any order; events of one position add up. `release` as above. */
CREWE_API crewe_status crewe_session_push_events(crewe_session* session, const crewe_event* events, size_t count,
                                                 void (*release)(void* user), void* user);

CREWE_API crewe_status crewe_session_flush(crewe_session* session);     /* all borrowed blocks are summed */
CREWE_API crewe_status crewe_session_finish(crewe_session* session);    /* and the images have their final form */
CREWE_API crewe_status crewe_session_next_scan(crewe_session* session); /* images zero, settings kept */

/* During the scan, from any thread, with effect for what is already scanned (crewe/live/session.hpp). */
CREWE_API crewe_status crewe_session_configure_image(crewe_session* session, const crewe_image* image);
CREWE_API crewe_status crewe_session_configure_center(crewe_session* session, int32_t mode, double y, double x);
CREWE_API crewe_status crewe_session_configure_descan(crewe_session* session, int32_t mode, const double slopes[4]);
CREWE_API crewe_status crewe_session_configure_rotation(crewe_session* session, double rotation, int32_t transpose);

/* Pixels that fill while the scan runs, C-contiguous, shape[0] x shape[1] x shape[2] with shape[2] = 1 or 2; they stay
 * where they are until the session is destroyed. Reading takes no lock. ICOM and SSB images are brought up to date. */
CREWE_API crewe_status crewe_session_image(crewe_session* session, const char* name, const float** pixels,
                                           size_t shape[3]);
CREWE_API size_t crewe_session_done(const crewe_session* session); /* distinct positions whose pixels are visible */
CREWE_API uint64_t crewe_session_version(const crewe_session* session); /* grows with every change of any image */
CREWE_API crewe_status crewe_session_center(const crewe_session* session, double* y, double* x);

#ifdef __cplusplus
}
#endif

#endif
