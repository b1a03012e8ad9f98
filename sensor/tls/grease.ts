/** Whether a 16-bit code point is one of the 16 GREASE values 0x0a0a, 0x1a1a … 0xfafa (RFC 8701 §2). */
export const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
