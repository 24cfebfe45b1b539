/* An acquisition program in C: a "camera" writes frames into a ring of its own buffers, as a DMA engine would; the
 * session sums them where they lie and gives them back. Usage: acquire_c FRAMES SCAN_Y SCAN_X DETECTOR_Y DETECTOR_X OUT
 * FRAMES: uint16 frames in order; OUT: riCOM, annulus and centre-of-mass map as float32, one after the other. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "crewe/crewe.h"

enum { BUFFERS = 5, BLOCK = 7 };

typedef struct {
  uint16_t* data;
  atomic_int free;
  atomic_int* released;
} buffer;

static void give_back(void* user) {
  buffer* b = user;
  atomic_fetch_add(b->released, 1);
  atomic_store(&b->free, 1);
}

static void check(crewe_status status, const char* what) {
  if (status == CREWE_OK) return;
  fprintf(stderr, "%s: status %d: %s\n", what, (int)status, crewe_last_error());
  exit(1);
}

static void expect(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "not so: %s\n", what);
  exit(1);
}

int main(int argc, char** argv) {
  expect(argc == 7, "six arguments");
  expect(crewe_abi_version() == CREWE_ABI_VERSION, "header and library are of one ABI");
  printf("crewe %s\n", crewe_version());
  const size_t sy = strtoul(argv[2], NULL, 10), sx = strtoul(argv[3], NULL, 10);
  const size_t ky = strtoul(argv[4], NULL, 10), kx = strtoul(argv[5], NULL, 10);
  const size_t pixels = ky * kx, positions = sy * sx;
  FILE* const camera = fopen(argv[1], "rb");
  FILE* const out = fopen(argv[6], "wb");
  expect(camera && out, "files can be opened");

  const double lens[CREWE_ABERRATIONS] = {50.0, 20.0, 0.3}; /* C10, C12, phi12 */
  const crewe_image images[] = {
      {.size = sizeof(crewe_image), .name = "ricom", .kind = CREWE_RICOM, .kernel = 9},
      {.size = sizeof(crewe_image), .name = "ring", .kind = CREWE_VIRTUAL_DETECTOR, .inner = 3, .outer = 8},
      {.size = sizeof(crewe_image), .name = "com", .kind = CREWE_CENTER_OF_MASS},
      {
          .size = sizeof(crewe_image),
          .name = "phase",
          .kind = CREWE_SSB,
          .energy = 200e3,
          .semiangle = 15.0,
          .step = 0.5,
          .angle_per_pixel = 2.5,
          .aberrations = lens,
      },
  };
  enum { IMAGES = sizeof images / sizeof images[0] };
  crewe_session_options options = {
      .size = sizeof options,
      .scan_rows = sy,
      .scan_columns = sx,
      .detector_rows = ky,
      .detector_columns = kx,
      .images = images,
      .image_count = IMAGES,
      .center_mode = CREWE_CENTER_GIVEN,
      .center_y = ((double)ky - 1) / 2,
      .center_x = ((double)kx - 1) / 2,
      .queue = 3,
  };
  crewe_session* session = NULL;
  options.rotation = 0.0 / (double)(argc - 7);
  expect(crewe_session_create(&options, &session) == CREWE_INVALID && !session, "NaN is no rotation");
  expect(crewe_last_error()[0] != '\0', "the error is told");
  options.rotation = 0;
  check(crewe_session_create(&options, &session), "create");

  const float* image[IMAGES];
  size_t shape[IMAGES][3];
  for (int i = 0; i < IMAGES; ++i) check(crewe_session_image(session, images[i].name, &image[i], shape[i]), "image");
  expect(shape[0][0] == sy && shape[0][1] == sx && shape[0][2] == 1 && shape[2][2] == 2, "shapes");
  expect(crewe_session_image(session, "nothing", &image[0], NULL) == CREWE_RANGE, "an unknown image is refused");

  atomic_int released = 0;
  buffer ring[BUFFERS];
  for (int i = 0; i < BUFFERS; ++i) {
    ring[i].data = malloc(BLOCK * pixels * sizeof(uint16_t));
    expect(ring[i].data != NULL, "memory");
    atomic_init(&ring[i].free, 1);
    ring[i].released = &released;
  }
  int lent = 0;
  for (size_t first = 0; first < positions; ++lent) {
    buffer* const b = &ring[lent % BUFFERS];
    while (!atomic_exchange(&b->free, 0)) {
    } /* the camera is faster than the sums */
    const size_t n =
        fread(b->data, pixels * sizeof(uint16_t), positions - first < BLOCK ? positions - first : BLOCK, camera);
    expect(n > 0, "frames come");
    const crewe_frames block = {.size = sizeof(crewe_frames), .data = b->data, .pixel = CREWE_U16, .count = n};
    check(crewe_session_push(session, &block, CREWE_NEXT, give_back, b), "push");
    first += n;
  }
  check(crewe_session_flush(session), "flush");
  expect(atomic_load(&released) == lent, "every buffer is given back once");
  expect(crewe_session_done(session) == positions, "all positions are done");

  crewe_frames too_many = CREWE_FRAMES_INIT;
  too_many.data = ring[0].data;
  too_many.pixel = CREWE_U16;
  too_many.count = 1;
  expect(crewe_session_push(session, &too_many, CREWE_NEXT, NULL, NULL) == CREWE_INVALID, "a full scan takes no more");
  const crewe_event outside = {(uint32_t)positions, 0, 0};
  expect(crewe_session_push_events(session, &outside, 1, NULL, NULL) == CREWE_RANGE, "an event outside is refused");
  check(crewe_session_configure_image(session, &images[0]), "configure an image");
  const uint64_t version = crewe_session_version(session);
  check(crewe_session_configure_rotation(session, 0.5, 1), "rotation");
  expect(crewe_session_version(session) > version, "a new picture, a new version");
  check(crewe_session_configure_rotation(session, 0.0, 0), "rotation");
  check(crewe_session_finish(session), "finish");
  for (int i = 0; i < IMAGES; ++i) {
    const size_t size = shape[i][0] * shape[i][1] * shape[i][2];
    expect(fwrite(image[i], sizeof(float), size, out) == size, "images are written");
  }
  crewe_session_destroy(session);
  for (int i = 0; i < BUFFERS; ++i) free(ring[i].data);
  fclose(camera);
  expect(fclose(out) == 0, "images are written");
  return 0;
}
