/**
 * A database of autonomous systems as MaxMind's format has it (MaxMind DB File Format 2.0): a binary tree over IPv4
 * addresses with records of 24 bits, 16 zero bytes, the data, and metadata behind a marker.
 */
export interface AsnRow {
  /** `203.0.113.0/24` */
  readonly network: string;
  readonly number: number;
  readonly organization: string;
}

type Value = string | number | bigint | readonly Value[] | { readonly [key: string]: Value };
type Node = [Node | Leaf | undefined, Node | Leaf | undefined];
interface Leaf {
  readonly row: number;
}

export function mmdb(rows: readonly AsnRow[]): Buffer {
  const root: Node = [undefined, undefined];
  for (const [index, { network }] of rows.entries()) insert(root, network, index);
  const data: Buffer[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const { number, organization } of rows) {
    const bytes = encode({ autonomous_system_number: number, autonomous_system_organization: organization });
    offsets.push(at);
    data.push(bytes);
    at += bytes.length;
  }
  const nodes: Node[] = [];
  const number = new Map<Node, number>();
  const walk = (node: Node): void => {
    number.set(node, nodes.length);
    nodes.push(node);
    for (const child of node) if (Array.isArray(child)) walk(child);
  };
  walk(root);
  const pointerOf = (child: Node | Leaf | undefined): number => {
    if (child === undefined) return nodes.length;
    return Array.isArray(child) ? number.get(child)! : nodes.length + 16 + offsets[child.row]!;
  };
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [i, [left, right]] of nodes.entries()) {
    tree.writeUIntBE(pointerOf(left), i * 6, 3);
    tree.writeUIntBE(pointerOf(right), i * 6 + 3, 3);
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_793_000_000n,
    database_type: 'Test-ASN',
    description: { en: 'made by a test' },
    ip_version: 4,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  });
  return Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata]);
}

function insert(root: Node, network: string, row: number): void {
  const [address, bits] = network.split('/') as [string, string];
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  let node = root;
  for (let depth = 0; depth < Number(bits); depth++) {
    const bit = Math.floor(value / 2 ** (31 - depth)) % 2;
    if (depth === Number(bits) - 1) node[bit] = { row };
    else {
      const next = node[bit];
      const child: Node = Array.isArray(next) ? next : [undefined, undefined];
      node[bit] = child;
      node = child;
    }
  }
}

/** Types: 2 UTF-8 string, 6 uint32, 7 map; extended (0, then type - 7): 9 uint64, 11 array. */
function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([head(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([head(6, 4), bytes]);
  }
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return Buffer.concat([head(9, 8), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([head(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as Readonly<Record<string, Value>>);
  return Buffer.concat([head(7, entries.length), ...entries.flatMap(([key, inner]) => [encode(key), encode(inner)])]);
}

/** Sizes below 29 stand in the control byte; up to 284 in the next one. */
function head(type: number, size: number): Buffer {
  const length = Math.min(size, 29);
  const first = type <= 7 ? [(type << 5) | length] : [length, type - 7];
  return Buffer.from(size < 29 ? first : [...first, size - 29]);
}
