const SUFFIX = '.pcap';
/** Characters of a flow id in a file name. */
const MAX_NAME_CHARS = 64;

/** The file name of a flow's packets: letters, digits, hyphen, underscore and the dot of its id; nothing that comes from the wire. */
export const evidenceName = (flowId: string): string =>
  `${flowId
    .slice(0, MAX_NAME_CHARS)
    .replaceAll(/[^A-Za-z0-9_.-]/g, '_')
    .replace(/^\.+/, '_')}${SUFFIX}`;
