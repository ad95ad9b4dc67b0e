/** A binary heap: `pop` gives the item with the smallest value first, of equal ones the one that came first. */
export class Heap<T> {
  readonly #items: { readonly item: T; readonly value: number; readonly order: number }[] = [];
  #pushed = 0;

  get size(): number {
    return this.#items.length;
  }

  push(item: T, value: number): void {
    this.#items.push({ item, value, order: this.#pushed++ });
    let at = this.#items.length - 1;
    while (at > 0 && this.#swapIfLess(at, (at - 1) >> 1)) at = (at - 1) >> 1;
  }

  pop(): { readonly item: T; readonly value: number } | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (top === undefined || last === undefined || this.#items.length === 0) return top;
    this.#items[0] = last;
    for (let at = 0, child = this.#smallerChild(0); this.#swapIfLess(child, at); child = this.#smallerChild(at))
      at = child;
    return top;
  }

  #smallerChild(at: number): number {
    const left = 2 * at + 1;
    return this.#isLess(left + 1, left) ? left + 1 : left;
  }

  #isLess(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]];
    if (first === undefined || second === undefined) return false;
    return first.value === second.value ? first.order < second.order : first.value < second.value;
  }

  #swapIfLess(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]];
    if (first === undefined || second === undefined || !this.#isLess(a, b)) return false;
    [this.#items[a], this.#items[b]] = [second, first];
    return true;
  }
}
