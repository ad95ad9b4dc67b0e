import type { SequencedEvent } from '../domain/event.ts';
import { columnsOf, rowsOf, type CliIo, type CliOutput } from './io.ts';
import { createBlock, fit } from './live-block.ts';
import type { Screen } from './screen.ts';
import { createStepBoard } from './step-board.ts';

/** A screen whose lines scroll by above a block that shows how the steps stand. */
export interface LiveScreen {
  readonly screen: Screen;
  /** Takes the run's events in order. */
  readonly update: (event: SequencedEvent) => void;
  /** Ends the block: it stays when the run has ended with several steps, and is removed otherwise. */
  readonly close: () => void;
}

/** Milliseconds: the block comes back so long after a line, so that much output does not draw it each time. */
const returnMs = 80;
const tickMs = 1000;
const mostLines = 16;

function createLive(screen: Screen, terminal: CliOutput, now: () => number): LiveScreen {
  const board = createStepBoard();
  const block = createBlock(terminal);
  let comingBack: NodeJS.Timeout | undefined;
  let isOver = false;
  const draw = (): void => {
    clearTimeout(comingBack);
    comingBack = undefined;
    if (board.size === 0) return;
    const room = Math.max(2, Math.min(mostLines, rowsOf(terminal) - 8));
    const columns = columnsOf(terminal, 80);
    block.draw(board.draw(now(), room, screen.colors).map((line) => fit(line, columns)));
  };
  const comeBack = (): void => {
    if (!isOver) comingBack ??= setTimeout(draw, returnMs).unref();
  };
  const ticking = setInterval(() => {
    if (board.isRunning) draw();
  }, tickMs).unref();
  const lines: Pick<Screen, 'print' | 'note'> = {
    print: async (line) => {
      block.erase();
      await screen.print(line);
      comeBack();
    },
    note: (line) => {
      block.erase();
      screen.note(line);
      comeBack();
    },
  };
  return {
    screen: { ...screen, ...lines },
    update: (event) => {
      if (board.apply(event, now())) draw();
      isOver ||= event.kind === 'run-ended';
    },
    close: () => {
      clearInterval(ticking);
      clearTimeout(comingBack);
      if (isOver && board.size > 1) draw();
      else block.erase();
    },
  };
}

/** Puts the block below what a screen prints, where there is a terminal for it; else the screen is as it was. */
export function createLiveScreen(screen: Screen, io: CliIo): LiveScreen {
  const { terminal } = screen;
  if (terminal !== undefined) return createLive(screen, terminal, () => io.clock.now());
  return { screen, update: () => undefined, close: () => undefined };
}
