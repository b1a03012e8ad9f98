import { isIP } from 'node:net';
import { z } from 'zod';

/** Longest validity of the mark, minutes, and the usual one. */
export const MAX_MINUTES = 15;
const DEFAULT_MINUTES = 5;
/** Largest archive of a drill, bytes. */
export const MAX_DRILL_BYTES = 16 << 20;
/** Addresses of one host. */
export const MAX_IPS = 16;

const ip = z
  .string()
  .max(45)
  .refine((text) => isIP(text) !== 0, 'expected an IP address');

/** What a host says before it drills. */
export const Announcement = z.strictObject({
  host: z.string().min(1).max(255),
  ips: z.array(ip).min(1).max(MAX_IPS),
  to: z.strictObject({ ip, port: z.number().int().min(1).max(65_535) }),
  bytes: z.number().int().min(1).max(MAX_DRILL_BYTES),
  minutes: z.number().min(1).max(MAX_MINUTES).default(DEFAULT_MINUTES),
});
export type Announcement = z.input<typeof Announcement>;

/** What the service answers. */
export const Announced = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/), until: z.iso.datetime() });
