// What tests in a browser stand on: a scratch directory, attuned on ports of its own, Chromium, and the log as it stands.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const need = name => process.env[name] ?? (() => { throw new Error(name + ' is not set') })();
const require = createRequire(join(resolve(need('ATTUNE_WEB')), 'x.js'));
export const source = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
export const axe = () => require.resolve('axe-core/axe.min.js');
const { chromium } = require('playwright-core');

export const until = async (what, holds, ms = 20_000) => {
  for (const end = Date.now() + ms; ;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error('not within ' + ms / 1000 + ' s: ' + what);
    await new Promise(again => setTimeout(again, 20));
  }
};

export class Scratch {
  constructor() { this.path = mkdtempSync(join(tmpdir(), 'attune-web.')); }
  file(name, text) {
    if (text !== undefined) writeFileSync(join(this.path, name), text);
    return join(this.path, name);
  }
  remove() { rmSync(this.path, { recursive: true, force: true }); }
}

const programs = { ...process.env, PATH: `${need('ATTUNE_BIN')}:${need('ATTUNE_DAEMONS')}:${process.env.PATH}`, ATTUNE_SOURCE: undefined };
for (const name of Object.keys(programs)) if (name.startsWith('ATTUNE_')) delete programs[name]; // they would be options
export const tool = (name, args, input) => execFileSync(name, args, { env: programs, input, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] });

export class Attuned {
  constructor(scratch, options = [], log = 'file://' + scratch.file('log'), store = 'rocksdb://' + scratch.file('profiles')) {
    this.log = log;
    this.place = ['--log', log, '--store', store];
    this.options = options;
    this.err = scratch.file('attuned.err');
    this.ports = [0, 0];
  }
  async start() {
    writeFileSync(this.err, '');
    const [port, admin] = this.ports;
    this.child = spawn('attuned', ['--listen', `127.0.0.1:${port}`, '--admin-listen', `127.0.0.1:${admin}`, '--threads', '1', ...this.place, ...this.options],
      { env: programs, stdio: ['ignore', 'ignore', openSync(this.err, 'a')] });
    this.ended = new Promise(ended => this.child.on('exit', ended));
    const said = await until('attuned is ready', () => {
      const text = readFileSync(this.err, 'utf8');
      if (this.child.exitCode !== null) throw new Error('attuned ended: ' + text);
      return /: ready$/m.test(text) && text;
    });
    this.ports = [/ requests at .*:(\d+)$/m.exec(said.replace(/admin requests.*/, ''))[1], /admin requests at .*:(\d+)$/m.exec(said)[1]];
    this.url = 'http://127.0.0.1:' + this.ports[0];
    this.admin = 'http://127.0.0.1:' + this.ports[1];
    await until('attuned can serve', async () => (await fetch(this.admin + '/readyz')).ok);
    return this;
  }
  async stop(signal = 'SIGTERM') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    await this.ended;
  }
  // Every event in the log, as it stands.
  events() {
    return tool('attune-consume', ['--log', this.log, '--until-end', '--topics', 'customer_clicks,cart_events,purchase_events,customer_identity'])
      .split('\n').filter(Boolean).map(line => JSON.parse(line));
  }
  async profile(customer) {
    const reply = await fetch(`${this.admin}/v1/profiles/${customer}`);
    return reply.ok ? reply.json() : undefined;
  }
}

export const launch = () => chromium.launch({
  executablePath: need('ATTUNE_CHROMIUM'),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// A page whose every error and violation of its policy is remembered; but not that a request failed, which tests bring about.
export const watched = async context => {
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', error => page.faults.push(String(error)));
  page.on('console', message => {
    if (message.type() === 'error' && !/Failed to load resource|net::ERR_/.test(message.text())) page.faults.push(message.text());
  });
  return page;
};
export { existsSync };
