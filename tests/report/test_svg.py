from markupsafe import Markup

from accsearch.report.svg import element


def test_text_is_escaped_and_markup_is_not():
    assert element("b", "1 < 2 & 3", Markup("<i>x</i>")) == "<b>1 &lt; 2 &amp; 3<i>x</i></b>"


def test_attributes_are_escaped_and_renamed():
    assert (
        element("a", class_='"x"', stroke_width=2, id=None) == '<a class="&#34;x&#34;" stroke-width="2"></a>'
    )


def test_an_attribute_may_be_called_name():
    assert element("g", name="viewport") == '<g name="viewport"></g>'
