/* Structs of sizes that the library doesn't know are refused by name, and nothing has changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crewe/crewe.h"

static void refused(crewe_status status, const char* what) {
  if (status == CREWE_INVALID && strstr(crewe_last_error(), what) != NULL) return;
  fprintf(stderr, "%s: status %d: %s\n", what, (int)status, crewe_last_error());
  exit(1);
}

int main(void) {
  crewe_image images[2] = {
      {.size = sizeof(crewe_image), .name = "ricom", .kind = CREWE_RICOM},
      {.size = sizeof(crewe_image), .name = "sum", .kind = CREWE_SUM},
  };
  crewe_session_options options = {
      .size = sizeof options,
      .scan_rows = 2,
      .scan_columns = 2,
      .detector_rows = 4,
      .detector_columns = 4,
      .images = images,
      .image_count = 2,
  };
  crewe_session* session = NULL;
  const size_t wrong[] = {0, sizeof(size_t), 1 << 20, SIZE_MAX};
  enum { WRONG = sizeof wrong / sizeof wrong[0] };

  for (int i = 0; i < WRONG; ++i) {
    options.size = wrong[i];
    refused(crewe_session_create(&options, &session), "crewe_session_options: size");
  }
  options.size = sizeof options + sizeof(size_t);
  refused(crewe_session_create(&options, &session), "made for a later library");
  options.size = sizeof options - 1;
  refused(crewe_session_create(&options, &session), "crewe_session_options: size");
  options.size = sizeof options;

  images[0].size = 0;
  refused(crewe_session_create(&options, &session), "crewe_image: size");
  images[0].size = sizeof images[0];
  images[1].size = 0;
  refused(crewe_session_create(&options, &session), "images[1]");
  images[1].size = sizeof images[1];
  options.images = NULL;
  refused(crewe_session_create(&options, &session), "images: NULL");
  options.images = images;
  if (session != NULL || crewe_session_create(&options, &session) != CREWE_OK) return 1;

  const uint8_t pixels[4 * 16] = {0};
  crewe_frames frames = {.data = pixels, .pixel = CREWE_U8, .count = 4};
  for (int i = 0; i < WRONG; ++i) {
    frames.size = wrong[i];
    refused(crewe_session_push(session, &frames, CREWE_NEXT, NULL, NULL), "crewe_frames: size");
    images[0].size = wrong[i];
    refused(crewe_session_configure_image(session, &images[0]), "crewe_image: size");
  }
  if (crewe_session_done(session) != 0) return 1;
  frames.size = sizeof frames;
  if (crewe_session_push(session, &frames, CREWE_NEXT, NULL, NULL) != CREWE_OK) return 1;
  if (crewe_session_done(session) != 4) return 1;
  crewe_session_destroy(session);
  return 0;
}
