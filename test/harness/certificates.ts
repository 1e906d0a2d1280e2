/** Certificates of an authority of our own, made by openssl(1). */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { scriptFolder } from './scripts.ts';

export interface Certificate {
  /** Paths of files in PEM. */
  key: string;
  cert: string;
}

let count = 0;

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

function newKey(name: string): Certificate {
  const base = path.join(scriptFolder, `${process.pid}-${++count}-${name}`);
  return { key: `${base}.key.pem`, cert: `${base}.cert.pem` };
}

const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate for `name`, signed by itself or by an authority. */
export function makeCertificate(name: string, authority?: Certificate): Certificate {
  const made = newKey(name);
  const names = `subjectAltName=DNS:${name},DNS:localhost,IP:127.0.0.1`;
  const common = [...algorithm, '-subj', `/CN=${name}`, '-keyout', made.key];
  if (authority === undefined) {
    openssl('req', '-x509', ...common, '-days', '2', '-addext', names, '-out', made.cert);
    return made;
  }
  const request = `${made.cert}.csr`;
  const extensions = `${made.cert}.ext`;
  fs.writeFileSync(extensions, names);
  openssl('req', ...common, '-out', request);
  const signers = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    ...signers,
    '-days',
    '2',
    '-extfile',
    extensions,
    '-out',
    made.cert,
  );
  return made;
}

/** The expression that reads one, for a script's source. */
export function readBy({ key, cert }: Certificate): string {
  return `key: fs.readFileSync(${JSON.stringify(key)}), cert: fs.readFileSync(${JSON.stringify(cert)})`;
}
