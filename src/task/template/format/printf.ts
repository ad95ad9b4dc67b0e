import { GoInt, typeName, type Value } from '../value.ts';
import { noFlags, type Flags } from './flags.ts';
import type { Printer } from './printer.ts';

/** A width or precision that grows beyond this ends the format, as in Go. */
const maxNumber = 1_000_000;

/** Writes `format` with its verbs filled from `args`, as `fmt.Sprintf` does, mistakes included. */
export function printFormat(printer: Printer, format: string, args: readonly Value[]): void {
  new Formatter(printer, format, args).run();
}

/** Writes values as `fmt.Sprint` does: with a space between two that are no strings. */
export function printPlain(printer: Printer, args: readonly Value[]): void {
  args.forEach((arg, index) => {
    if (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string') printer.write(' ');
    printer.printArgument(arg, 'v', noFlags());
  });
}

/** Writes values as `fmt.Sprintln` does: a space between any two, and a newline. */
export function printLine(printer: Printer, args: readonly Value[]): void {
  args.forEach((arg, index) => {
    if (index > 0) printer.write(' ');
    printer.printArgument(arg, 'v', noFlags());
  });
  printer.write('\n');
}

class Formatter {
  readonly #printer: Printer;
  readonly #format: string;
  readonly #args: readonly Value[];
  #at = 0;
  #arg = 0;
  #isReordered = false;
  #isGood = true;
  #afterIndex = false;

  constructor(printer: Printer, format: string, args: readonly Value[]) {
    this.#printer = printer;
    this.#format = format;
    this.#args = args;
  }

  run(): void {
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent < 0 ? this.#format.length : percent;
      if (end > this.#at) this.#printer.write(this.#format.slice(this.#at, end));
      this.#at = end + 1;
      if (percent >= 0) this.#directive();
    }
    if (!this.#isReordered && this.#arg < this.#args.length) this.#printExtra();
  }

  #directive(): void {
    this.#isGood = true;
    this.#afterIndex = false;
    const flags = this.#readFlags();
    this.#readIndex();
    this.#readWidth(flags);
    this.#readPrecision(flags);
    this.#readLastIndex();
    const code = this.#format.codePointAt(this.#at);
    if (code === undefined) {
      this.#printer.write('%!(NOVERB)');
      return;
    }
    const verb = String.fromCodePoint(code);
    this.#at += verb.length;
    this.#print(verb, flags);
  }

  #print(verb: string, flags: Flags): void {
    if (verb === '%') this.#printer.write('%');
    else if (!this.#isGood) this.#printer.write(`%!${verb}(BADINDEX)`);
    else if (this.#arg >= this.#args.length) this.#printer.write(`%!${verb}(MISSING)`);
    else {
      const goSyntax = verb === 'v' && flags.sharp;
      const own = verb === 'v' ? { ...flags, goSyntax, sharp: false, plus: false } : flags;
      this.#printer.printArgument(this.#args[this.#arg], verb, own);
      this.#arg++;
    }
  }

  #readFlags(): Flags {
    const flags = noFlags();
    for (; ; this.#at++) {
      switch (this.#format[this.#at]) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = !flags.minus;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          flags.zero = false;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          return flags;
      }
    }
  }

  /** `[n]`: the next verb takes the nth argument. */
  #readIndex(): void {
    this.#afterIndex = false;
    if (this.#format[this.#at] !== '[') return;
    this.#isReordered = true;
    const close = this.#format.indexOf(']', this.#at);
    const inner = close < 0 ? '' : this.#format.slice(this.#at + 1, close);
    const index = /^\d{1,7}$/.test(inner) ? Number(inner) - 1 : -1;
    this.#at = close < 0 ? this.#at + 1 : close + 1;
    if (index >= 0 && index < this.#args.length) {
      this.#arg = index;
      this.#afterIndex = true;
    } else this.#isGood = false;
  }

  /** An index right before the verb, unless there was one already. */
  #readLastIndex(): void {
    if (!this.#afterIndex) this.#readIndex();
  }

  #readWidth(flags: Flags): void {
    if (this.#format[this.#at] === '*') {
      this.#at++;
      const width = this.#starArgument();
      if (width === undefined) this.#printer.write('%!(BADWIDTH)');
      else if (width < 0) Object.assign(flags, { width: -width, minus: true, zero: false });
      else flags.width = width;
      this.#afterIndex = false;
      return;
    }
    flags.width = this.#readNumber();
    if (this.#afterIndex && flags.width !== undefined) this.#isGood = false;
  }

  #readPrecision(flags: Flags): void {
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length) return;
    this.#at++;
    if (this.#afterIndex) this.#isGood = false;
    this.#readIndex();
    if (this.#format[this.#at] === '*') {
      this.#at++;
      const precision = this.#starArgument();
      flags.precision = precision !== undefined && precision >= 0 ? precision : undefined;
      if (flags.precision === undefined) this.#printer.write('%!(BADPREC)');
      this.#afterIndex = false;
    } else flags.precision = this.#readNumber() ?? 0;
  }

  #starArgument(): number | undefined {
    const arg = this.#args[this.#arg];
    this.#arg++;
    if (!(arg instanceof GoInt)) return undefined;
    const value = Number(arg.value);
    return Math.abs(value) > maxNumber ? undefined : value;
  }

  #readNumber(): number | undefined {
    const start = this.#at;
    let value = 0;
    for (; /[0-9]/.test(this.#format[this.#at] ?? ''); this.#at++) {
      if (value > maxNumber) {
        this.#at = this.#format.length;
        return undefined;
      }
      value = value * 10 + Number(this.#format[this.#at]);
    }
    return start === this.#at ? undefined : value;
  }

  #printExtra(): void {
    this.#printer.write('%!(EXTRA ');
    this.#args.slice(this.#arg).forEach((arg, index) => {
      if (index > 0) this.#printer.write(', ');
      if (arg !== null && arg !== undefined) this.#printer.write(`${typeName(arg)}=`);
      this.#printer.printArgument(arg, 'v', noFlags());
    });
    this.#printer.write(')');
  }
}
